/**
 * The most of everything that the caller wants to read. What is beyond it is refused where it is declared, before anything
 * is allocated for it: the reader itself has no opinion.
 */
export interface ReadBounds {
  types: number;
  /** Of one type. */
  params: number;
  /** Of one type. */
  results: number;
  /** Parameters and results of all types together. */
  typeValues: number;
  imports: number;
  /** Defined functions. */
  functions: number;
  tables: number;
  memories: number;
  globals: number;
  exports: number;
  elementSegments: number;
  /** Of one element segment. */
  elementsPerSegment: number;
  dataSegments: number;
  /** Bytes of one import or export name. */
  nameBytes: number;
  /** Bytes of one function body. */
  bodyBytes: number;
  /** Of one function, without its parameters. */
  localsPerFunction: number;
  /** Of all functions together, without parameters. */
  locals: number;
  /** Labels of one `br_table`, without the default. */
  branchTableLabels: number;
  /** Blocks inside each other. */
  nesting: number;
  /** Parameters of one block. */
  blockParams: number;
  /**
   * Parameters and results of all calls and blocks together. Validation looks at each of them, so without a bound a few
   * bytes of operator can cost it thousands of steps.
   */
  operands: number;
}
