export interface PublicElement {
  name: string;
  file: string;
  text: string;
  header: string;
}
export function publicElements(root: string): Promise<PublicElement[]>;
export function pageOf(elements: readonly PublicElement[]): string;
