import type { Entry } from '../recording.js';

/** Shows one scenario after the other as they happen. */
export interface View {
  begin(title: string): void;
  entry(entry: Entry): void;
  end(): void;
}
