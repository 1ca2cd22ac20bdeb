import { knownChannel, type Method } from './chat-methods.ts';
import { isJson, SlackRefusal, str } from './json.ts';

/** A file as far as its three steps have come. */
export type StoredFile = {
  id: string;
  name: string;
  length: number;
  bytes?: Buffer;
  channel?: string;
  threadTs?: string;
};

/** Files that somebody began to upload, by id. */
export type Files = Map<string, StoredFile>;

/** The first and the last step of an upload; between them the bytes go to `uploadUrl`. */
export const fileMethods = (files: Files, uploadUrl: (id: string) => string): Record<string, Method> => ({
  'files.getUploadURLExternal': (args, { world }) => {
    const [name, length] = [str(args.filename), Number(args.length)];
    if (name === '' || !(length > 0)) throw new SlackRefusal('invalid_arguments');
    const id = world.freshId('F');
    files.set(id, { id, name, length });
    return { upload_url: uploadUrl(id), file_id: id };
  },
  'files.completeUploadExternal': (args, { world }) => {
    const given: unknown = typeof args.files === 'string' ? JSON.parse(args.files) : args.files;
    if (!Array.isArray(given) || given.length === 0) throw new SlackRefusal('invalid_arguments');
    const found = given.map((one) => files.get(isJson(one) ? str(one.id) : ''));
    const channel = knownChannel(world, { channel: args.channel_id });
    if (!channel.members.has(world.workspace.botUserId)) throw new SlackRefusal('not_in_channel');
    return {
      files: found.map((file) => {
        if (!file?.bytes) throw new SlackRefusal('file_not_found');
        Object.assign(file, { channel: channel.id, threadTs: str(args.thread_ts) || undefined });
        return { id: file.id, title: file.name };
      }),
    };
  },
});

/** The bytes of a file that somebody has begun; refused where they are not as many as was said. @returns the status */
export function receiveFile(files: Files, id: string, bytes: Buffer): number {
  const file = files.get(id);
  if (!file) return 404;
  if (file.length !== bytes.length) return 400;
  file.bytes = bytes;
  return 200;
}
