/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Everything that may raise a Lua error runs under lua_pcall: set_up() and
 * call() are the two doors. */

#include "model/script/sandbox.h"

#include "model/base/text.h"
#include "model/base/units.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOOK_STEPS 1000

struct dcp_script {
    lua_State *lua;
    size_t bytes;      /* Held. */
    size_t call_bytes; /* Asked for by this call. */
    const char *name;
    const struct dcp_script_text *text;
    /* While it is being called. */
    size_t steps;
    enum dcp_script_kind kind;
    const struct dcp_trait_subject *subject[DCP_TRAIT_SIDES];
    struct dcp_script_answer *answer;
};

static void *
take_memory(void *self, void *old, size_t old_size, size_t size)
{
    struct dcp_script *s = self;
    size_t before = old ? old_size : 0;

    if (!size) {
        s->bytes -= before;
        free(old);
        return NULL;
    }
    /* To shrink must not fail. */
    if (size > before &&
        (s->bytes - before + size > DCP_SCRIPT_BYTES ||
         s->call_bytes + (size - before) > DCP_SCRIPT_CALL_BYTES)) {
        return NULL;
    }
    void *more = realloc(old, size);

    if (more) {
        s->bytes = s->bytes - before + size;
        s->call_bytes += size > before ? size - before : 0;
    }
    return more ? more : size <= before ? old : NULL;
}

static struct dcp_script *
self_of(lua_State *lua)
{
    return lua_touserdata(lua, lua_upvalueindex(1));
}

/* 'level' of the stack is the function that takes them. */
static void
take_steps(lua_State *lua, size_t n, int level)
{
    struct dcp_script *s = *(struct dcp_script **)lua_getextraspace(lua);

    s->steps += n;
    if (s->steps > DCP_SCRIPT_STEPS) {
        luaL_where(lua, level);
        lua_pushfstring(lua, "more than %d instructions; make it simpler",
                        DCP_SCRIPT_STEPS);
        lua_concat(lua, 2);
        lua_error(lua);
    }
}

static void
count_steps(lua_State *lua, lua_Debug *where)
{
    (void)where;
    take_steps(lua, HOOK_STEPS, 0);
}

/* --- vm.field, host.field ----------------------------------------------- */

/* Remembers a reading; returns the field's lasting text, which Lua keeps as
 * the key of a table of its own. */
static const char *
lasting(lua_State *lua, const char *field)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, "dcp.fields");
    lua_pushstring(lua, field);

    const char *kept = lua_tostring(lua, -1);

    lua_pushvalue(lua, -1);
    lua_gettable(lua, -3);
    if (lua_isnil(lua, -1)) {
        lua_pop(lua, 1);
        lua_pushvalue(lua, -1);
        lua_pushvalue(lua, -1);
        lua_settable(lua, -4);
    } else {
        kept = lua_tostring(lua, -1);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 2);
    return kept;
}

static void
note_reading(lua_State *lua, struct dcp_script *s, enum dcp_trait_side side,
             const char *field)
{
    struct dcp_script_answer *a = s->answer;

    for (uint32_t i = 0; i < a->n_reads; i++) {
        if (a->reads[i].side == side && !strcmp(a->reads[i].field, field)) {
            return;
        }
    }
    if (a->n_reads == DCP_SCRIPT_READS_MAX) {
        luaL_error(lua, "more than %d fields are read", DCP_SCRIPT_READS_MAX);
    }
    a->reads[a->n_reads++] =
        (struct dcp_script_read){ side, lasting(lua, field) };
}

static int
read_field(lua_State *lua)
{
    struct dcp_script *s = self_of(lua);
    enum dcp_trait_side side =
        (enum dcp_trait_side)lua_tointeger(lua, lua_upvalueindex(2));
    const char *prefix = lua_tostring(lua, lua_upvalueindex(3));
    const char *one = side == DCP_TRAIT_VM ? "vm" : "host";
    char field[128], near[48];
    struct dcp_trait trait;

    if (lua_type(lua, 2) != LUA_TSTRING) {
        return luaL_error(lua, "%s: fields have names", one);
    }
    const char *key = lua_tostring(lua, 2);

    if (!*prefix && (!strcmp(key, "tag") || !strcmp(key, "extra"))) {
        lua_getfield(lua, lua_upvalueindex(4), key);
        return 1;
    }
    if (!s->answer) {
        return luaL_error(lua, "%s is not known yet", one);
    }
    int n = snprintf(field, sizeof field, "%s%s", prefix, key);

    if (n < 0 || (size_t)n >= sizeof field ||
        !dcp_trait_read(s->subject[side], field, &trait, near)) {
        return near[0] ? luaL_error(lua,
                                    "a %s has no field '%s'; did you mean "
                                    "'%s'?",
                                    one, key, near)
                       : luaL_error(lua, "a %s has no field '%s'", one, key);
    }
    note_reading(lua, s, side, field);
    switch (trait.kind) {
    case DCP_TRAIT_NIL:
        lua_pushnil(lua);
        break;
    case DCP_TRAIT_BOOL:
        lua_pushboolean(lua, trait.number != 0);
        break;
    case DCP_TRAIT_NUMBER:
        if (trait.number == floor(trait.number) && fabs(trait.number) < 1e15) {
            lua_pushinteger(lua, (lua_Integer)trait.number);
        } else {
            lua_pushnumber(lua, trait.number);
        }
        break;
    case DCP_TRAIT_TEXT:
        lua_pushstring(lua, trait.text);
        break;
    }
    return 1;
}

static int
refuse_setting(lua_State *lua)
{
    return luaL_error(lua, "it cannot be set; use a local variable");
}

static int
unknown_global(lua_State *lua)
{
    return luaL_error(lua, "there is no '%s' here",
                      lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2)
                                                      : "such name");
}

/* A table that answers by read_field; left on the stack. */
static void
push_subject(lua_State *lua, struct dcp_script *s, enum dcp_trait_side side,
             const char *prefix)
{
    lua_newtable(lua);
    lua_newtable(lua);
    lua_pushlightuserdata(lua, s);
    lua_pushinteger(lua, side);
    lua_pushstring(lua, prefix);
    lua_newtable(lua);
    if (!*prefix) {
        push_subject(lua, s, side, "tag.");
        lua_setfield(lua, -2, "tag");
        push_subject(lua, s, side, "extra.");
        lua_setfield(lua, -2, "extra");
    }
    lua_pushcclosure(lua, read_field, 4);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_setting);
    lua_setfield(lua, -2, "__newindex");
    lua_setmetatable(lua, -2);
}

/* --- Functions of our own ----------------------------------------------- */

static int
text_starts(lua_State *lua)
{
    size_t n, m;
    const char *s = luaL_checklstring(lua, 1, &n);
    const char *part = luaL_checklstring(lua, 2, &m);

    lua_pushboolean(lua, m <= n && !memcmp(s, part, m));
    return 1;
}

static int
text_ends(lua_State *lua)
{
    size_t n, m;
    const char *s = luaL_checklstring(lua, 1, &n);
    const char *part = luaL_checklstring(lua, 2, &m);

    lua_pushboolean(lua, m <= n && !memcmp(s + n - m, part, m));
    return 1;
}

static int
text_contains(lua_State *lua)
{
    size_t n;
    const char *s = luaL_checklstring(lua, 1, &n);

    take_steps(lua, n / 8, 1);
    lua_pushboolean(lua, strstr(s, luaL_checkstring(lua, 2)) != NULL);
    return 1;
}

/* Only what has one text on every machine: no addresses. */
static bool
is_plain(lua_State *lua, int at)
{
    int type = lua_type(lua, at);

    return type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER ||
           type == LUA_TSTRING;
}

static int
plain_tostring(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (!is_plain(lua, 1)) {
        return luaL_error(lua, "a %s has no text", luaL_typename(lua, 1));
    }
    (void)luaL_tolstring(lua, 1, NULL);
    return 1;
}

static int
plain_format(lua_State *lua)
{
    const char *format = luaL_checkstring(lua, 1);
    int n = lua_gettop(lua);

    for (const char *at = format; (at = strchr(at, '%')); at++) {
        at++;
        at += strspn(at, "-+ #0123456789.");
        if (*at == 'p' || *at == '\0') {
            return luaL_error(lua, "format: no such conversion");
        }
    }
    for (int i = 2; i <= n; i++) {
        if (!is_plain(lua, i)) {
            return luaL_error(lua, "a %s has no text", luaL_typename(lua, i));
        }
    }
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, n, 1);
    return 1;
}

/* --- The world of a script ---------------------------------------------- */

/* Copies the named members of the table at the top into a new one, which takes
 * its place. */
static void
keep_members(lua_State *lua, const char *const names[], size_t n)
{
    lua_newtable(lua);
    for (size_t i = 0; i < n; i++) {
        lua_getfield(lua, -2, names[i]);
        lua_setfield(lua, -2, names[i]);
    }
    lua_remove(lua, -2);
}
#define KEEP(LUA, NAMES)                                                       \
    keep_members(LUA, NAMES, sizeof(NAMES) / sizeof *(NAMES))

static void
push_strings(lua_State *lua)
{
    static const char *const names[] = { "len",     "lower", "rep",   "sub",
                                         "reverse", "upper", "format" };
    static const luaL_Reg own[] = { { "starts", text_starts },
                                    { "ends", text_ends },
                                    { "contains", text_contains },
                                    { NULL, NULL } };

    luaL_requiref(lua, LUA_STRLIBNAME, luaopen_string, 0);
    KEEP(lua, names);
    luaL_setfuncs(lua, own, 0);
    lua_getfield(lua, -1, "format");
    lua_pushcclosure(lua, plain_format, 1);
    lua_setfield(lua, -2, "format");
    /* Methods of strings are these, and no others. */
    lua_pushstring(lua, "");
    (void)lua_getmetatable(lua, -1);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 2);
}

/* The globals, left on the stack. */
static void
push_world(lua_State *lua)
{
    static const char *const base[] = { "assert", "error",    "ipairs",
                                        "select", "tonumber", "type" };
    static const char *const math[] = { "abs",       "ceil",  "cos",  "deg",
                                        "exp",       "floor", "fmod", "log",
                                        "max",       "min",   "modf", "pi",
                                        "rad",       "sin",   "sqrt", "tan",
                                        "tointeger", "type",  "ult",  "huge" };

    luaL_requiref(lua, LUA_GNAME, luaopen_base, 0);
    KEEP(lua, base);
    lua_pushcfunction(lua, plain_tostring);
    lua_setfield(lua, -2, "tostring");
    push_strings(lua);
    lua_setfield(lua, -2, "string");
    luaL_requiref(lua, LUA_MATHLIBNAME, luaopen_math, 0);
    KEEP(lua, math);
    lua_setfield(lua, -2, "math");
}

static int
set_up(lua_State *lua)
{
    struct dcp_script *s = lua_touserdata(lua, 1);
    static const char intro[] = "local vm, host = ... ";
    struct dcp_text chunk = { 0 };

    lua_newtable(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, "dcp.fields");
    push_subject(lua, s, DCP_TRAIT_VM, "");
    lua_setfield(lua, LUA_REGISTRYINDEX, "dcp.vm");
    push_subject(lua, s, DCP_TRAIT_HOST, "");
    lua_setfield(lua, LUA_REGISTRYINDEX, "dcp.host");

    dcp_text_printf(&chunk, "%s%s", intro, s->text->lua);
    int status = chunk.failed ? LUA_ERRMEM
                              : luaL_loadbufferx(lua, dcp_text_get(&chunk),
                                                 strlen(dcp_text_get(&chunk)),
                                                 "=lua", "t");

    dcp_text_finish(&chunk);
    if (status != LUA_OK) {
        return lua_error(lua);
    }
    /* An empty world that hands out what the real one has. */
    lua_newtable(lua);
    lua_newtable(lua);
    push_world(lua);
    lua_newtable(lua);
    lua_pushcfunction(lua, unknown_global);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_setting);
    lua_setfield(lua, -2, "__newindex");
    lua_setmetatable(lua, -2);
    (void)lua_setupvalue(lua, -2, 1);
    lua_setfield(lua, LUA_REGISTRYINDEX, "dcp.body");
    return 0;
}

static int
call(lua_State *lua)
{
    struct dcp_script *s = lua_touserdata(lua, 1);
    struct dcp_script_answer *a = s->answer;

    lua_getfield(lua, LUA_REGISTRYINDEX, "dcp.body");
    lua_getfield(lua, LUA_REGISTRYINDEX, "dcp.vm");
    lua_getfield(lua, LUA_REGISTRYINDEX, "dcp.host");
    lua_call(lua, 2, 2);
    if (s->kind == DCP_SCRIPT_SCORE) {
        if (lua_type(lua, -2) != LUA_TNUMBER) {
            return luaL_error(lua, "a score returns a number, not %s",
                              luaL_typename(lua, -2));
        }
        a->score = lua_tonumber(lua, -2);
        return isfinite(a->score)
                   ? 0
                   : luaL_error(lua, "the score is not a finite number");
    }
    if (lua_type(lua, -2) != LUA_TBOOLEAN) {
        return luaL_error(lua, "a filter returns true or false, not %s",
                          luaL_typename(lua, -2));
    }
    a->allowed = lua_toboolean(lua, -2);
    if (!a->allowed && lua_type(lua, -1) == LUA_TSTRING) {
        (void)snprintf(a->reason, sizeof a->reason, "%s",
                       lua_tostring(lua, -1));
        dcp_one_line(a->reason);
    }
    return 0;
}

/* "lua:3: text" on top of the stack becomes an error at its line. */
static bool
fail_by_message(struct dcp_script *s, struct dcp_error *err)
{
    const char *message = lua_type(s->lua, -1) == LUA_TSTRING
                              ? lua_tostring(s->lua, -1)
                              : "it raised something that is no text";
    struct dcp_pos pos = s->text->pos;

    if (!strncmp(message, "lua:", 4)) {
        const char *end = strchr(message + 4, ':');
        uint32_t line = 0;

        for (const char *at = message + 4;
             end && at < end && *at >= '0' && *at <= '9' && line < 1000000;
             at++) {
            line = line * 10 + (uint32_t)(*at - '0');
        }
        if (end && line) {
            pos.line = pos.line ? pos.line + line - !s->text->below : 0;
            pos.column = 0;
            message = end + 1 + (end[1] == ' ');
        }
    }
    (void)dcp_fail_at(err, DCP_E_PARSE, pos, "%s: %.300s", s->name, message);
    if (err) {
        dcp_one_line(err->message);
    }
    lua_pop(s->lua, 1);
    return false;
}

struct dcp_script *
dcp_script_create(const struct dcp_script_text *text, const char *name,
                  struct dcp_error *err)
{
    struct dcp_script *s = calloc(1, sizeof *s);

    if (s) {
        s->name = name;
        s->text = text;
        s->lua = lua_newstate(take_memory, s);
    }
    if (!s || !s->lua) {
        free(s);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the script '%s'", name);
        return NULL;
    }
    *(struct dcp_script **)lua_getextraspace(s->lua) = s;
    lua_sethook(s->lua, count_steps, LUA_MASKCOUNT, HOOK_STEPS);
    lua_pushcfunction(s->lua, set_up);
    lua_pushlightuserdata(s->lua, s);
    bool ok = lua_pcall(s->lua, 1, 0, 0) == LUA_OK || fail_by_message(s, err);

    if (!ok) {
        dcp_script_destroy(s);
        return NULL;
    }
    return s;
}

void
dcp_script_destroy(struct dcp_script *s)
{
    if (s) {
        lua_close(s->lua);
        free(s);
    }
}

bool
dcp_script_call(struct dcp_script *s, enum dcp_script_kind kind,
                const struct dcp_trait_subject *vm,
                const struct dcp_trait_subject *host,
                struct dcp_script_answer *out, struct dcp_error *err)
{
    out->n_reads = 0;
    out->allowed = false;
    out->score = 0;
    out->reason[0] = '\0';
    s->kind = kind;
    s->subject[DCP_TRAIT_VM] = vm;
    s->subject[DCP_TRAIT_HOST] = host;
    s->answer = out;
    s->steps = 0;
    s->call_bytes = 0;
    lua_pushcfunction(s->lua, call);
    lua_pushlightuserdata(s->lua, s);
    bool ok = lua_pcall(s->lua, 1, 0, 0) == LUA_OK || fail_by_message(s, err);

    s->answer = NULL;
    return ok;
}
