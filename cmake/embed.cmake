# Writes a C file that holds files as text: cmake -DOUT=F.c -DSPEC=S -P this.
# SPEC is a file of lines NAME=PATH[,PATH...]: the constant dcp_asset_NAME gets
# the paths' bytes one after another.  Bytes are written as numbers, since a C
# string literal may be no longer than compilers promise.
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${SPEC} lines)
set(body "")
foreach(line IN LISTS lines)
  string(REGEX MATCH "^([a-z_]+)=(.*)$" matched "${line}")
  set(name ${CMAKE_MATCH_1})
  string(REPLACE "," ";" paths "${CMAKE_MATCH_2}")
  set(hex "")
  foreach(path IN LISTS paths)
    file(READ ${path} more HEX)
    string(APPEND hex "${more}")
  endforeach()
  string(LENGTH "${hex}" digits)
  math(EXPR length "${digits} / 2")
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND body
    "static const unsigned char ${name}_text[] = {\n${hex}0\n};\n"
    "const struct dcp_asset dcp_asset_${name} = {\n"
    "    (const char *)${name}_text, ${length} };\n")
endforeach()
file(WRITE ${OUT}
  "/* Made by cmake/embed.cmake; do not edit. */\n"
  "#include \"report/assets.h\"\n${body}")
