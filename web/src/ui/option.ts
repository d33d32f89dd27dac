// A setting of a table or a plot that the address holds, so that Back and a link restore it.

import { options } from "../state.js";

/** Its value and how to change it. What is as it begins does not stand in the address. */
export function useOption(name: string, begins: string): [string, (value: string) => void] {
  return [options.value[name] ?? begins, (value) => {
    const { [name]: _, ...others } = options.peek();
    options.value = value === begins ? others : { ...others, [name]: value };
  }];
}

/** The same for the ends of a range, as a histogram's brush chooses them. */
export function useRangeOption(name: string): [[number, number] | null, (range: [number, number] | null) => void] {
  const [text, set] = useOption(name, "");
  const m = /^(\d+(?:\.\d+)?(?:e\+\d+)?)-(\d+(?:\.\d+)?(?:e\+\d+)?)$/.exec(text);
  return [m ? [Number(m[1]), Number(m[2])] : null, (r) => set(r ? `${r[0]}-${r[1]}` : "")];
}
