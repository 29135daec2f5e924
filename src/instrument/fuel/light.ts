import { MarkKind } from "./marks.ts";
import { LIGHT } from "./plan.ts";
import type { BodyPlan, Planner } from "./planner.ts";

const State = { untouched: 0, entered: 1, known: 2 } as const;

/**
 * Which functions are so light that they need not look whether fuel is left: without loops, calls through tables and long
 * operators, and with no more than {@link LIGHT} units in them and in all that they call together. By function index.
 */
export function findLight({ marks, plans }: Planner, importedFunctions: number): Uint8Array {
  const light = new Uint8Array(importedFunctions + plans.length).fill(1, 0, importedFunctions);
  const totals = new Int32Array(light.length);
  const states = new Uint8Array(plans.length);
  const entered: number[] = [];

  // Callees before callers, without recursion of our own: the guest decides how deep its calls go.
  for (let root = 0; root < plans.length; root += 1) {
    entered.push(root);
    for (let index = entered.at(-1); index !== undefined; index = entered.at(-1)) {
      const plan = plans[index];
      if (plan === undefined || states[index] === State.known || isHeavy(plan) || ownCost(plan) > LIGHT) {
        states[index] = State.known;
        entered.pop();
      } else if (states[index] === State.untouched) {
        states[index] = State.entered;
        enterCallees(plan);
      } else {
        states[index] = State.known;
        entered.pop();
        weigh(plan, importedFunctions + index);
      }
    }
  }
  return light;

  /** What it takes itself, counted no further than it matters. */
  function ownCost({ first, last }: BodyPlan): number {
    let total = 0;
    for (let mark = first; mark < last && total <= LIGHT; mark += 1) {
      if ((marks.kind[mark] ?? MarkKind.dead) <= MarkKind.afterCall) total += marks.cost[mark] ?? 0;
    }
    return total;
  }

  function enterCallees({ first, last }: BodyPlan): void {
    for (let mark = first; mark < last; mark += 1) {
      if (marks.kind[mark] !== MarkKind.call) continue;
      const callee = (marks.callee[mark] ?? 0) - importedFunctions;
      if (callee >= 0 && states[callee] === State.untouched) entered.push(callee);
    }
  }

  /** A callee that is not known yet is one that calls back: it stays heavy, and so does this one. */
  function weigh(plan: BodyPlan, functionIndex: number): void {
    let total = ownCost(plan);
    for (let mark = plan.first; mark < plan.last; mark += 1) {
      if (marks.kind[mark] !== MarkKind.call) continue;
      const callee = marks.callee[mark] ?? 0;
      if (light[callee] !== 1) return;
      total += totals[callee] ?? 0;
    }
    if (total > LIGHT) return;
    totals[functionIndex] = total;
    light[functionIndex] = 1;
  }
}

function isHeavy({ loops, callsIndirectly, paysLengths }: BodyPlan): boolean {
  return loops || callsIndirectly || paysLengths;
}
