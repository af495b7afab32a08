import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml';

export type Path = readonly (string | number)[];

/** 1-based. */
export interface Position {
  line: number;
  column: number;
}

/** Finds lines and columns of a parsed YAML document. */
export class Positions {
  constructor(
    private readonly document: Document.Parsed,
    private readonly lines: LineCounter,
  ) {}

  /** Where the value at `path` begins; where its nearest parent does when there is none. */
  value(path: Path): Position {
    let node = this.resolve(this.document.contents);
    let at = startOf(node);
    for (const step of path) {
      const child = isMap(node) ? pairAt(node.items, step)?.value : isSeq(node) ? node.items[Number(step)] : undefined;
      if (!isNode(child)) break;
      at = startOf(child) ?? at;
      node = this.resolve(child);
    }
    return this.at(at ?? 0);
  }

  /** Where the key that ends `path` is written; as `value` when it is no key of a map. */
  key(path: Path): Position {
    const last = path.at(-1);
    let node = this.resolve(this.document.contents);
    for (const step of path.slice(0, -1)) {
      const child = isMap(node) ? pairAt(node.items, step)?.value : isSeq(node) ? node.items[Number(step)] : undefined;
      node = isNode(child) ? this.resolve(child) : null;
    }
    const key = isMap(node) && last !== undefined ? pairAt(node.items, last)?.key : undefined;
    const at = isNode(key) ? startOf(key) : undefined;
    return at === undefined ? this.value(path) : this.at(at);
  }

  /** Where a character of the text is. */
  at(offset: number): Position {
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  private resolve(node: unknown): Node | null {
    if (isAlias(node)) return node.resolve(this.document) ?? null;
    return isNode(node) ? node : null;
  }
}

function pairAt(items: readonly unknown[], key: string | number): Pair | undefined {
  return items.find(
    (item): item is Pair => isPair(item) && (isScalar(item.key) ? String(item.key.value) === String(key) : item.key === key),
  );
}

function startOf(node: Node | null): number | undefined {
  return node?.range?.[0];
}
