import type { Reporter } from '../model/reporter.ts';

export interface Following {
  reporter: Required<Reporter>;
  /** What a hook threw first, if any did; it is told no more after that. */
  failure(): { error: unknown } | undefined;
}

/** A reporter whose hooks run one after another and never reject; `onFailure` is told once, when one throws. */
export function follow(reporter: Reporter, onFailure: () => void): Following {
  let failure: { error: unknown } | undefined;
  let told: Promise<void> = Promise.resolve();
  const forward = <Data>(hook: (data: Data) => void | Promise<void> | undefined) => {
    return (data: Data): Promise<void> => {
      told = told.then(async () => {
        if (failure) return;
        try {
          await hook(data);
        } catch (error) {
          failure = { error };
          onFailure();
        }
      });
      return told;
    };
  };
  return {
    reporter: {
      onRunStart: forward((run) => reporter.onRunStart?.(run)),
      onCaseStart: forward((started) => reporter.onCaseStart?.(started)),
      onStage: forward((reached) => reporter.onStage?.(reached)),
      onCaseEnd: forward((result) => reporter.onCaseEnd?.(result)),
      onRunEnd: forward((result) => reporter.onRunEnd?.(result)),
    },
    failure: () => failure,
  };
}
