import type { Cell } from './cells.js';
import type { Course, Truth } from './truth.js';

/** One line of JSON per cell. */
export interface CellResult extends Cell, Course, Truth {
  cell: string;
  /** Failures in the four seconds before; the truth starts from none. */
  failedBefore: number;
  /** How each of our commands ended; a peer's has none. */
  commands: string[];
  log: string[];
  /** Of the tool to the API server. */
  requests?: RequestCount;
}

export interface RequestCount {
  all: number;
  writes: number;
}
