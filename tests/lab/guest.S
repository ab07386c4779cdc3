# SPDX-License-Identifier: GPL-3.0-or-later
# A guest in one boot sector, made to show whether it was ever restarted.
#
# When it starts it takes a number by chance, its boot.  From then on, about once
# a second, it counts one up and
#   - writes "boot=XXXXXXXX n=XXXXXXXX" and a newline on its serial line, and
#   - writes a sector with mark, boot and n on its disk, at 8 + (n mod 1024).
# Both numbers live in its memory only: a move keeps them, a restart does not.
# A second instance of it would leave the same n twice.
#
# Load for a migration: 'fill' MiB of memory are not zero, and 'dirty' pages of
# them change at each tick of the timer (18.2 in a second).
# The two words at 'fill' are set in the image (labkit/guest.py).

        .code16
        .globl _start
        .set MARK, 0x544e574c           # "LWNT"
        .set MEMORY, 0x100000           # Load begins at 1 MiB.
        .set RECORD, 0x8000             # The sector that is written.
        .set BOOT, RECORD + 4
        .set COUNT, RECORD + 8
        .set END, 0x7e00                # Of the load.
        .set NEXT, 0x7e04               # Page to change next.
        .set DRIVE, 0x7e08
        .set COM1, 0x3f8
        .set TICKS, 0x46c               # Counted by the BIOS.

_start: xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7000, %sp
        cld
        movb    %dl, DRIVE
        movw    $RECORD, %di
        movw    $256, %cx
        rep stosw
        movl    $MARK, RECORD
        rdtsc
        movl    %eax, BOOT
        movw    $0x00e3, %ax            # 9600 8N1, which also sets it up.
        xorw    %dx, %dx
        int     $0x14

        call    far_memory
        movl    fill, %ecx
        shll    $8, %ecx
        movl    $MEMORY, %edi
        movl    %edi, NEXT
        jecxz   2f
1:      movl    %edi, %fs:(%edi)
        addl    $4096, %edi
        loopl   1b
2:      movl    %edi, END

second: movl    TICKS, %ebx             # When this second began.
        movl    %ebx, %ebp              # The tick that was worked on last.
tick:   hlt
        movl    TICKS, %eax
        cmpl    %eax, %ebp
        je      tick
        movl    %eax, %ebp
        movl    dirty, %ecx
        jecxz   5f
        movl    NEXT, %edi
3:      cmpl    END, %edi
        jb      4f
        movl    $MEMORY, %edi
        cmpl    END, %edi
        jae     5f
4:      movl    %eax, %fs:4(%edi)
        addl    $4096, %edi
        loopl   3b
        movl    %edi, NEXT
5:      subl    %ebx, %eax
        cmpl    $18, %eax
        jb      tick

        incl    COUNT
        movw    $text_boot, %si
        movl    BOOT, %ecx
        call    put
        movw    $text_n, %si
        movl    COUNT, %ecx
        call    put
        movb    $'\n', %al
        call    put_byte

        movl    COUNT, %eax
        andl    $1023, %eax
        addl    $8, %eax
        movl    %eax, packet_lba
        movw    $packet, %si
        movb    DRIVE, %dl
        movw    $0x4300, %ax            # Extended write.
        int     $0x13
        call    far_memory              # The BIOS may have undone it.
        jmp     second

put:    lodsb                           # Text at %si, then %ecx in hex.
        testb   %al, %al
        jz      6f
        call    put_byte
        jmp     put
6:      movw    $8, %di
7:      roll    $4, %ecx
        movb    %cl, %al
        andb    $15, %al
        addb    $'0', %al
        cmpb    $'9', %al
        jbe     8f
        addb    $39, %al
8:      call    put_byte
        decw    %di
        jnz     7b
        ret

put_byte:
        pushw   %ax
        movw    $COM1 + 5, %dx
9:      inb     %dx, %al
        testb   $0x20, %al
        jz      9b
        popw    %ax
        movw    $COM1, %dx
        outb    %al, %dx
        ret

far_memory:                             # Lets %fs reach all memory.
        cli
        lgdtl   table_at
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        movw    $8, %dx
        movw    %dx, %fs
        andb    $0xfe, %al
        movl    %eax, %cr0
        xorw    %dx, %dx
        movw    %dx, %fs
        sti
        ret

text_boot: .asciz "boot="
text_n: .asciz " n="
        .balign 8
table:  .quad   0, 0x00cf92000000ffff
table_at:
        .word   15
        .long   table
        .balign 4
packet: .byte   16, 0
        .word   1, RECORD, 0
packet_lba:
        .quad   0
        .org    0x1e8
fill:   .long   0
dirty:  .long   0
        .org    510
        .word   0xaa55
