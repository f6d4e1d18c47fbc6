/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry of a guest: 64-bit code, paging on, RSI = address of boot_params, interrupts off, no stack.
 * Then a stub per exception: a fault ends the guest with its vector and address on the serial port.
 */
	.section .text.start, "ax"
	.code64
	.globl guest_start
guest_start:
	cli
	cld
	leaq guest_stack_end(%rip), %rsp
	xorl %ebp, %ebp
	movq %rsi, %rdi
	call guest_enter
1:	hlt
	jmp 1b

	/* 32 stubs of 16 bytes; fault_init() points the IDT at them */
	.balign 16
	.globl guest_fault_stubs
guest_fault_stubs:
	.set vector, 0
	.rept 32
	.balign 16
	.if (vector == 8) || (vector >= 10 && vector <= 14) || vector == 17
	nop
	.else
	pushq $0
	.endif
	pushq $vector
	jmp fault_common
	.set vector, vector + 1
	.endr

fault_common:
	movq (%rsp), %rdi
	movq 8(%rsp), %rsi
	movq 16(%rsp), %rdx
	andq $-16, %rsp
	call guest_fault
1:	hlt
	jmp 1b

	.section .note.GNU-stack, "", @progbits
	.bss
	.balign 16
	.skip 16384
guest_stack_end:
