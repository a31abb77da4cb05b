/* SPDX-License-Identifier: GPL-2.0-only */
/* Convert messages that are sent: a fixed header whose length grows with each TLV (RFC 8803 section 6). */
#ifndef MPB_CONVERT_MESSAGE_H
#define MPB_CONVERT_MESSAGE_H

#include <mptcp_bpf/convert.h>

struct message {
	__u8 bytes[MPB_CONVERT_MAX];
	__u32 len;
};

void message_begin(struct message *m);

/* Adds a TLV: type, length, then the value with zeros to the next word; what does not fit is cut. */
void message_add(struct message *m, __u8 type, const void *value, __u32 len);

/* An Error TLV, its value as section 6.2.8 wants it for this code; NULL, 0: a zero byte. */
void message_error(struct message *m, enum mpb_convert_code code, const void *value, __u32 len);

/* An Error TLV that shows the message which caused it, with its alignment kept (malformed or unsupported message). */
void message_error_echo(struct message *m, enum mpb_convert_code code, const void *cause, __u32 len);

#endif
