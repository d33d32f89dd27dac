// Asking, waiting, failing: the same everywhere.

import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";

export interface Loaded<T> {
  value: T | null;
  error: string | null;
  loading: boolean;
}

/** Asks anew when `key` changes, and aborts what is no longer wanted. The old answer stays until
 * the new one is there, so that nothing flickers. */
export function useLoaded<T>(key: string | null, ask: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, set] = useState<Loaded<T> & { key: string | null }>({ value: null, error: null, loading: true, key: null });
  useEffect(() => {
    if (key === null) {
      set({ value: null, error: null, loading: false, key });
      return;
    }
    const abort = new AbortController();
    set((s) => ({ ...s, loading: true }));
    ask(abort.signal).then(
      (value) => !abort.signal.aborted && set({ value, error: null, loading: false, key }),
      (e: Error) => !abort.signal.aborted && set({ value: null, error: e.message, loading: false, key }),
    );
    return () => abort.abort();
  }, [key]);
  // What is here may still be the answer to the last question.
  return { ...state, loading: state.loading || state.key !== key };
}

export function Await<T>({ of, children, what }: { of: Loaded<T>; what: string; children: (value: T) => ComponentChildren }) {
  if (of.error) return <Failed message={of.error} />;
  if (of.value === null) return <p class="empty" role="status">{of.loading ? `Working out ${what} …` : `There is no ${what}.`}</p>;
  return <div class={of.loading ? "stale" : ""}>{children(of.value)}</div>;
}

export function Failed({ message }: { message: string }) {
  return <p class="failed" role="alert">{message}</p>;
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
