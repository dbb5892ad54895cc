/** What an image offers to an editor. */
import { request } from "../api.js";

export interface Image {
  name: string;
  languages: { name: string; title: string; extensions: string[]; build: string; run: string; format: string }[];
  servers: { language: string; extensions: string[] }[];
}

export async function imageNamed(name: string): Promise<Image | null> {
  const all = await request<Image[]>("/api/v1/images");
  return all.find((image) => image.name === name) ?? null;
}
