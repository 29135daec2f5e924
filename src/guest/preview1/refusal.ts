import { Failure } from "../filesystem/errno.ts";

/** A call that policy refuses: it fails like any other, and is recorded. */
export class Refusal extends Failure {
  readonly target: string;
  readonly reason: string;
  readonly grant: string | null;

  constructor(errno: number, target: string, reason: string, grant: string | null) {
    super(errno);
    this.target = target;
    this.reason = reason;
    this.grant = grant;
  }
}
