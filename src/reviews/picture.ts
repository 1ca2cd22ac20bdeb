import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Cell } from '../domain/review/weekly.ts';
import { chartSheet } from './chart.ts';

const FONT = 'dejavu-fonts-ttf/ttf/DejaVuSans.ttf';
const WIDTH = 1_280;

/**
 * The charts of a page as a PNG, drawn with a font of ours: without one all text would vanish. The same cells give the same
 * bytes. `undefined` where nothing is drawn.
 */
export async function chartPicture(cells: readonly Cell[]): Promise<Buffer | undefined> {
  const sheet = chartSheet(cells);
  if (sheet === undefined) return undefined;
  const { Resvg } = await import('@resvg/resvg-js');
  const fontFile = createRequire(import.meta.url).resolve(FONT);
  readFileSync(fontFile);
  const drawn = new Resvg(sheet, {
    fitTo: { mode: 'width', value: WIDTH },
    font: { fontFiles: [fontFile], loadSystemFonts: false, defaultFontFamily: 'DejaVu Sans' },
  });
  return Buffer.from(drawn.render().asPng());
}
