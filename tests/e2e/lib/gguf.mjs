// GGUF files that no engine should believe, each wrong in one way.
import { Buffer } from "node:buffer";

const U32 = 4;
const STRING = 8;
const U64 = 10;

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
}

function text(value) {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([u64(bytes.length), bytes]);
}

function entry(key, value) {
  if (typeof value === "string") {
    return Buffer.concat([text(key), u32(STRING), text(value)]);
  }
  if (typeof value === "bigint") {
    return Buffer.concat([text(key), u32(U64), u64(value)]);
  }
  return Buffer.concat([text(key), u32(U32), u32(value)]);
}

/** A GGUF v3 file. `tensors` are `{ name, shape, type }`; `count` overrides how many the header claims. */
export function gguf({ metadata = {}, tensors = [], count = tensors.length, data = 4096 } = {}) {
  const entries = Object.entries(metadata);
  const parts = [Buffer.from("GGUF"), u32(3), u64(count), u64(entries.length)];
  parts.push(...entries.map(([key, value]) => entry(key, value)));
  for (const { name, shape, type } of tensors) {
    parts.push(text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(0));
  }
  const header = Buffer.concat(parts);
  const padding = Buffer.alloc((32 - (header.length % 32)) % 32);
  return Buffer.concat([header, padding, Buffer.alloc(data)]);
}

/** Hyper-parameters of a tiny llama, enough to get as far as its tokenizer. */
export const LLAMA = {
  "general.architecture": "llama",
  "general.name": "tiny",
  "llama.block_count": 1,
  "llama.context_length": 64,
  "llama.embedding_length": 32,
  "llama.feed_forward_length": 32,
  "llama.attention.head_count": 1,
};

const F32 = 0;

/** Files and what their message must say, besides the file's name. `model` is the real model's bytes. */
export function badFiles(model) {
  const cut = (share) => model.subarray(0, Math.floor(model.length * share));
  const png = Buffer.from("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489", "hex");
  const tensor = (shape, type = F32) => ({
    metadata: LLAMA,
    tensors: [{ name: "token_embd.weight", shape, type }],
  });
  return [
    { name: "empty.gguf", bytes: Buffer.alloc(0), says: /empty/i },
    { name: "picture.gguf", bytes: png, says: /not a GGUF|magic|PNG/i },
    { name: "cut-1.gguf", bytes: cut(0.01), says: /cut|ends|truncated|short/i },
    { name: "cut-50.gguf", bytes: cut(0.5), says: /cut|ends|truncated|short/i },
    { name: "cut-99.gguf", bytes: cut(0.99), says: /cut|ends|truncated|short/i },
    { name: "many.gguf", bytes: gguf({ metadata: LLAMA, count: 2n ** 60n }), says: /1152921504606846976|tensors/ },
    { name: "huge.gguf", bytes: gguf(tensor([2n ** 62n, 8n])), says: /token_embd\.weight|dimension/ },
    { name: "negative.gguf", bytes: gguf(tensor([-1n, 8n])), says: /token_embd\.weight|dimension/ },
    { name: "type.gguf", bytes: gguf(tensor([32n, 8n], 9999)), says: /type/i },
    { name: "bare.gguf", bytes: gguf({ metadata: {} }), says: /general\.architecture/ },
    {
      name: "headless.gguf",
      bytes: gguf({ metadata: { ...LLAMA, "llama.attention.head_count": "many" } }),
      says: /head_count|tokenizer/,
    },
  ];
}
