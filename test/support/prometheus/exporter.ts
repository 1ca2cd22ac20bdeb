import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

type Labels = Readonly<Record<string, string>>;

/** What a process would export of itself: counters and classic histograms, in the text that Prometheus scrapes. */
export class TestExporter {
  readonly #server: Server;
  readonly #values = new Map<string, number>();
  readonly #histograms = new Set<string>();
  #isUp = true;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<TestExporter> {
    const server = createServer();
    const exporter = new TestExporter(server);
    server.on('request', (_, response) => {
      if (!exporter.#isUp) response.writeHead(503).end();
      else response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(exporter.#text());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return exporter;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Adds to a counter; it begins at what is added first. */
  add(name: string, labels: Labels, by = 1): void {
    const series = seriesOf(name, labels);
    this.#values.set(series, (this.#values.get(series) ?? 0) + by);
  }

  /** One value into a classic histogram. */
  observe(name: string, labels: Labels, value: number, bounds: readonly number[]): void {
    this.#histograms.add(name);
    for (const bound of bounds)
      this.add(`${name}_bucket`, { ...labels, le: String(bound) }, Number(value <= bound));
    this.add(`${name}_bucket`, { ...labels, le: '+Inf' });
    this.add(`${name}_sum`, labels, value);
    this.add(`${name}_count`, labels);
  }

  /** A process that starts anew counts from nothing, in the series that it has. */
  restart(): void {
    for (const series of this.#values.keys()) this.#values.set(series, 0);
  }

  /** Exports a metric no more. */
  drop(name: string): void {
    for (const series of [...this.#values.keys()])
      if (series.startsWith(`${name}{`)) this.#values.delete(series);
  }

  /** Whether it answers. */
  set up(isUp: boolean) {
    this.#isUp = isUp;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Family by family, as the format wants it. */
  #text(): string {
    const families = new Map<string, string[]>();
    for (const [series, value] of this.#values) {
      const name = series.slice(0, series.indexOf('{'));
      const family = [...this.#histograms].find((one) => name.startsWith(`${one}_`)) ?? name;
      families.set(family, [...(families.get(family) ?? []), `${series} ${value}\n`]);
    }
    return [...families]
      .map(([family, lines]) => {
        const type = this.#histograms.has(family) ? 'histogram' : 'counter';
        return `# TYPE ${family} ${type}\n${lines.join('')}`;
      })
      .join('');
  }
}

const seriesOf = (name: string, labels: Labels): string =>
  `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;
