import { showsForeignFile, translateMessages } from "./collect-diagnostics.ts";
import type { CompileLimits } from "./compile-limits.ts";
import type { Dependencies } from "./dep-info.ts";
import { type Diagnostic, ownDiagnostic } from "./diagnostics.ts";
import { isLinkFailure, linkerOutput } from "./link-failure.ts";
import type { RustcEnd } from "./rustc.ts";
import type { RustcMessage } from "./rustc-messages.ts";
import type { Presentation } from "./translate-message.ts";

/** The last is what a thread is refused with whose stack has no room in the address space. */
const OUT_OF_MEMORY =
  /memory allocation of \d+ bytes failed|out of memory|bad_alloc|Cannot allocate memory|capacity overflow|Resource temporarily unavailable/i;
const FILE_TOO_LARGE = /SIGXFSZ|File too large/;
const INTERNAL_ERROR = /^error: internal compiler error/;

/**
 * Whether what rustc says may be shown, and its module used. Diagnostics quote what the compiler read, so they may be shown
 * only where that was the script alone:
 *
 * - Where dep-info names more than the script, or a span lies in another file: never.
 * - Where rustc succeeded: only if dep-info is there and names the script.
 * - Where rustc failed before it wrote dep-info (because of the script's syntax, a missing crate, or a crash): in a jail
 *   yes, because there was nothing else to read; without one only what `keepSyntaxErrors` leaves.
 */
export function isSelfContained(
  { exitCode, messages }: RustcEnd,
  dependencies: Dependencies,
  script: string,
): boolean {
  if (dependencies === "foreign" || messages.some((message) => showsForeignFile(message, script)))
    return false;
  return dependencies === "script-only" || exitCode !== 0;
}

/** The answer where the compiler read more than the script. It says nothing about what was read, not even whether it exists. */
export function describeForeignInput(): Diagnostic {
  return ownDiagnostic(
    "foreign-input",
    "the script makes the compiler read something other than the script: a file, or an environment variable",
    {
      help: "remove `include!`, `include_str!`, `include_bytes!`, `env!` and `#[path]`: read files and variables at run time, from what the run was granted",
    },
  );
}

/** The answer where rustc stopped before it could tell what it had read, and there was no jail to tell it either. */
export function describeWithheld(): Diagnostic {
  return ownDiagnostic(
    "diagnostics-withheld",
    "the script does not compile; what the compiler says about it is not shown, because without a jail nothing tells whether it quotes other files",
    {
      help: "macros that expand without end do this; install bubblewrap (`scriptcell setup`) to see all diagnostics",
    },
  );
}

/** All there is to say about a compile that did not succeed: at least one error. */
export function describeFailure(
  end: RustcEnd,
  limits: CompileLimits,
  presentation: Presentation,
): Diagnostic[] {
  const said = translateMessages(end.messages.filter(isAboutScript), presentation);
  const reason = stoppedBy(end, limits);
  if (reason !== undefined) return [...said, reason];
  if (said.some(({ level }) => level === "error")) return said;
  return [...said, describeCrash(end)];
}

function isAboutScript({ message, level }: RustcMessage): boolean {
  return !level.startsWith("error: internal") && !INTERNAL_ERROR.test(message);
}

/** A limit, or a crash, where one of them ended the compile. */
function stoppedBy(end: RustcEnd, limits: CompileLimits): Diagnostic | undefined {
  if (end.how === "timed-out" || end.signal === "SIGXCPU") return describeTimeout(limits);
  if (end.how === "talked-too-much") return describeFlood();
  const plain = [end.plain, ...end.messages.filter(isLinkFailure).map(linkerOutput)].join("\n");
  if (end.signal === "SIGXFSZ" || FILE_TOO_LARGE.test(plain)) return describeLargeModule(limits);
  if (OUT_OF_MEMORY.test(plain) || end.messages.some(isTooLargeConstant)) return describeMemory(limits);
  if (end.how === "killed" || end.exitCode === 101 || !end.messages.every(isAboutScript))
    return describeCrash(end);
  return undefined;
}

/** The one place where rustc itself says that memory is short. */
function isTooLargeConstant({ code, message }: RustcMessage): boolean {
  return code?.code === "E0080" && message === "tried to allocate more memory than available to compiler";
}

function describeTimeout({ wallTimeMs }: CompileLimits): Diagnostic {
  return ownDiagnostic("compile-timeout", `the script did not compile within ${wallTimeMs} ms`, {
    help: "simplify its types, macros and constants, or raise `compileLimits.wallTimeMs`",
  });
}

function describeFlood(): Diagnostic {
  return ownDiagnostic(
    "too-many-diagnostics",
    "the compiler was stopped: it has megabytes of diagnostics for this script",
    {
      help: "correct the first errors and warnings: others often follow from them",
    },
  );
}

function describeMemory({ memoryBytes }: CompileLimits): Diagnostic {
  return ownDiagnostic("compile-memory", `the script does not compile in ${memoryBytes} bytes of memory`, {
    help: "make its constants and statics smaller, or raise `compileLimits.memoryBytes`",
  });
}

/** The answer where the module, or what it is linked from, is larger than the limit. */
export function describeLargeModule({ outputBytes }: CompileLimits): Diagnostic {
  return ownDiagnostic("module-too-large", `the module is larger than ${outputBytes} bytes`, {
    help: "make its constants and statics smaller, or raise `compileLimits.outputBytes`",
  });
}

function describeCrash({ signal, exitCode }: RustcEnd): Diagnostic {
  const how = signal === "" ? `exit code ${exitCode}` : signal;
  return ownDiagnostic("compiler-crashed", `the compiler crashed on this script (${how})`, {
    help: "deeply nested expressions, types and macros can do this: simplify the script",
  });
}
