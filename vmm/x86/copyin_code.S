/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest code of vmm/x86/copyin.h. 64-bit, position independent, no stack.
 * In: rsi = struct copyin_info. Private memory is seen COPYIN_PRIVATE above shared memory.
 */
	.section .rodata
	.globl	copyin_code, copyin_code_end
	.type	copyin_code, @object
	.type	copyin_code_end, @object
copyin_code:
	cld
	movq	%rsi, %rbx
	movq	(%rbx), %r8			/* ranges left */
	leaq	32(%rbx), %r9			/* next range */
	movabsq	$0x8000000000, %r10		/* COPYIN_PRIVATE */
1:	testq	%r8, %r8
	jz	2f
	movq	(%r9), %rsi
	movq	8(%r9), %rcx			/* eight-byte words */
	leaq	(%rsi,%r10), %rdi
	rep movsq
	addq	$16, %r9
	decq	%r8
	jmp	1b
2:	movq	8(%rbx), %rax
	movq	16(%rbx), %rdx
	movq	24(%rbx), %rsi
	movq	%rax, %cr3
	movq	%rdx, %rbx
	movb	$1, %al
	movw	$0x660, %dx			/* MAP_PORT_COPYIN */
	outb	%al, %dx
	jmp	*%rbx
copyin_code_end:
	.section .note.GNU-stack, "", @progbits
