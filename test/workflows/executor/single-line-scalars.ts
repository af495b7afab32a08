import { parseDocument, Scalar, visit } from 'yaml';

/**
 * The same YAML with every string on one line. The parser is made for editors and takes an expression in a string of several lines from
 * the source text, indentation and all, where GitHub takes it from the value: `if: >-` would be true for ever.
 */
export function singleLineScalars(content: string): string {
  const document = parseDocument(content);
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value !== 'string' || node.type === Scalar.PLAIN) return;
      node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.POSITIVE_INFINITY });
}
