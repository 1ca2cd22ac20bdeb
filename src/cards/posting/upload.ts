import type { webApi } from '@slack/bolt';
import { request } from 'undici';
import type { Copy } from '../../records/copy.ts';
import { SlackFailure } from './failure.ts';
import type { RateGate } from './rate-gate.ts';

export interface Picture {
  name: string;
  title: string;
  altText: string;
  bytes: Buffer;
}

const ALT_TEXT_MAX = 1_000;
const TIMEOUT_MS = 10_000;

/** files.getUploadURLExternal, the bytes, files.completeUploadExternal. @throws SlackFailure */
export async function uploadPicture(
  client: webApi.WebClient,
  gate: RateGate,
  { channel, ts }: Copy,
  { name, title, altText, bytes }: Picture,
): Promise<string> {
  const alt_txt = altText.slice(0, ALT_TEXT_MAX);
  const { upload_url: url, file_id: id } = await gate.call('files.getUploadURLExternal', () =>
    client.files.getUploadURLExternal({ filename: name, length: bytes.length, alt_text: alt_txt }),
  );
  if (!url || !id) throw new SlackFailure('upload_refused');
  const { statusCode, body } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  await body.dump();
  if (statusCode !== 200) throw new SlackFailure('upload_refused');
  await gate.call('files.completeUploadExternal', () =>
    client.files.completeUploadExternal({ files: [{ id, title }], channel_id: channel, thread_ts: ts }),
  );
  return id;
}
