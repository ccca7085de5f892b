/** What the tests use of the `tftp` package. */
declare module 'tftp' {
  interface ClientOptions {
    host: string;
    port: number;
    blockSize?: number;
    windowSize?: number;
  }
  export function createClient(options: ClientOptions): {
    get(remote: string, local: string, done: (error: Error | null) => void): void;
  };
}
