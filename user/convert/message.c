/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <string.h>
#include "message.h"

void message_begin(struct message *m)
{
	struct mpb_convert_head head = { MPB_CONVERT_VERSION, sizeof(head) / 4, htons(MPB_CONVERT_MAGIC) };

	memset(m->bytes, 0, sizeof(m->bytes));
	memcpy(m->bytes, &head, sizeof(head));
	m->len = sizeof(head);
}

void message_add(struct message *m, __u8 type, const void *value, __u32 len)
{
	__u32 room = sizeof(m->bytes) - m->len, words;

	if (room < 4)
		return;
	if (len > room - 2)
		len = room - 2;
	words = (2 + len + 3) / 4;
	m->bytes[m->len] = type;
	m->bytes[m->len + 1] = words;
	memcpy(m->bytes + m->len + 2, value, len);
	m->len += words * 4;
	m->bytes[1] += words;
}

void message_error(struct message *m, enum mpb_convert_code code, const void *value, __u32 len)
{
	__u8 v[64] = { code };

	if (len > sizeof(v) - 1)
		len = sizeof(v) - 1;
	if (len)
		memcpy(v + 1, value, len);
	message_add(m, CONVERT_ERROR, v, 1 + (len ? len : 1));
}

void message_error_echo(struct message *m, enum mpb_convert_code code, const void *cause, __u32 len)
{
	__u8 v[MPB_CONVERT_MAX] = { code };

	if (len > sizeof(v) - 10) /* the header's word and the TLV's */
		len = sizeof(v) - 10;
	memcpy(v + 2, cause, len);
	message_add(m, CONVERT_ERROR, v, 2 + len);
}
