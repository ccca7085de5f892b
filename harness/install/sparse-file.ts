import { open } from 'node:fs/promises';

const blockBytes = 4096;
const zeros = Buffer.alloc(blockBytes);

/** The parts of a chunk that hold data: runs of blocks that are not all zeros. */
function* runsOf(chunk: Uint8Array): Generator<{ from: number; to: number }> {
  let from = 0;
  for (let at = 0; at < chunk.length; at += blockBytes) {
    const block = chunk.subarray(at, at + blockBytes);
    if (!zeros.subarray(0, block.length).equals(block)) continue;
    if (at > from) yield { from, to: at };
    from = at + block.length;
  }
  if (from < chunk.length) yield { from, to: chunk.length };
}

/** Writes a new file with holes for zeros: a flash image is padded to 64 MiB with them. Resolves to its length. */
export async function writeSparse(path: string, chunks: AsyncIterable<Uint8Array>, mode: number): Promise<number> {
  const file = await open(path, 'wx', mode);
  try {
    let bytes = 0;
    for await (const chunk of chunks) {
      for (const { from, to } of runsOf(chunk)) await file.write(chunk, from, to - from, bytes + from);
      bytes += chunk.length;
    }
    await file.truncate(bytes);
    return bytes;
  } finally {
    await file.close();
  }
}
