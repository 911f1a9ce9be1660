import { parseType, splitTypes, type StaticType } from './checkTypes.ts';

/** One way to call a function. A method's first argument is its target. */
export interface Signature {
  readonly isMethod: boolean;
  readonly args: readonly StaticType[];
  readonly result: StaticType;
}

const numbers = ['int', 'uint', 'double'];
const ordered = [
  ...['bool,bool', 'string,string', 'bytes,bytes', 'timestamp,timestamp', 'duration,duration'],
  ...numbers.flatMap((left) => numbers.map((right) => `${left},${right}`)),
];
const sameNumbers = numbers.map((type) => `${type},${type} -> ${type}`);
const comparison = ordered.map((args) => `${args} -> bool`);
const getter = ['.timestamp -> int', '.timestamp,string -> int'];
const durationGetter = [...getter, '.duration -> int'];

/** Signatures by function as `arguments -> result`; a leading dot marks a method. In the order in which cel-go declares them. */
const declarations: Readonly<Record<string, readonly string[]>> = {
  '_==_': ['A,A -> bool'],
  '_!=_': ['A,A -> bool'],
  '_<_': comparison,
  '_<=_': comparison,
  '_>_': comparison,
  '_>=_': comparison,
  '_+_': [
    ...['bytes,bytes -> bytes', 'double,double -> double', 'duration,duration -> duration'],
    ...['duration,timestamp -> timestamp', 'timestamp,duration -> timestamp', 'int,int -> int'],
    ...['list(A),list(A) -> list(A)', 'string,string -> string', 'uint,uint -> uint'],
  ],
  '_-_': [
    ...['double,double -> double', 'duration,duration -> duration', 'int,int -> int'],
    ...['timestamp,duration -> timestamp', 'timestamp,timestamp -> duration', 'uint,uint -> uint'],
  ],
  '_*_': sameNumbers,
  '_/_': sameNumbers,
  '_%_': ['int,int -> int', 'uint,uint -> uint'],
  '-_': ['double -> double', 'int -> int'],
  '!_': ['bool -> bool'],
  '@in': ['A,list(A) -> bool', 'A,map(A,B) -> bool'],
  '_[_]': [
    ...['list(A),int -> A', 'map(A,B),A -> B'],
    ...['optional_type(list(A)),int -> optional_type(A)', 'optional_type(map(A,B)),A -> optional_type(B)'],
  ],
  '_[?_]': [
    ...['list(A),int -> optional_type(A)', 'optional_type(list(A)),int -> optional_type(A)'],
    ...['map(A,B),A -> optional_type(B)', 'optional_type(map(A,B)),A -> optional_type(B)'],
  ],
  '_?_:_': ['bool,A,A -> A'],
  size: ['bytes', 'list(A)', 'map(A,B)', 'string'].flatMap((type) => [`${type} -> int`, `.${type} -> int`]),
  type: ['A -> type(A)'],
  dyn: ['A -> dyn'],
  bool: ['bool -> bool', 'string -> bool'],
  bytes: ['bytes -> bytes', 'string -> bytes'],
  double: ['double', 'int', 'string', 'uint'].map((type) => `${type} -> double`),
  duration: ['duration', 'int', 'string'].map((type) => `${type} -> duration`),
  int: ['int', 'double', 'duration', 'string', 'timestamp', 'uint'].map((type) => `${type} -> int`),
  string: ['bool', 'bytes', 'double', 'duration', 'int', 'string', 'timestamp', 'uint'].map(
    (type) => `${type} -> string`,
  ),
  timestamp: ['timestamp', 'int', 'string'].map((type) => `${type} -> timestamp`),
  uint: ['uint', 'double', 'int', 'string'].map((type) => `${type} -> uint`),
  contains: ['.string,string -> bool'],
  startsWith: ['.string,string -> bool'],
  endsWith: ['.string,string -> bool'],
  matches: ['string,string -> bool', '.string,string -> bool'],
  getFullYear: getter,
  getMonth: getter,
  getDate: getter,
  getDayOfMonth: getter,
  getDayOfWeek: getter,
  getDayOfYear: getter,
  getHours: durationGetter,
  getMinutes: durationGetter,
  getSeconds: durationGetter,
  getMilliseconds: durationGetter,
  'optional.of': ['A -> optional_type(A)'],
  'optional.ofNonZeroValue': ['A -> optional_type(A)'],
  'optional.none': [' -> optional_type(A)'],
  'optional.unwrap': ['list(optional_type(A)) -> list(A)'],
  unwrapOpt: ['.list(optional_type(A)) -> list(A)'],
  value: ['.optional_type(A) -> A'],
  hasValue: ['.optional_type(A) -> bool'],
  or: ['.optional_type(A),optional_type(A) -> optional_type(A)'],
  orValue: ['.optional_type(A),A -> A'],
  first: ['.list(A) -> optional_type(A)'],
  last: ['.list(A) -> optional_type(A)'],
  'sets.contains': ['list(A),list(A) -> bool'],
  'sets.equivalent': ['list(A),list(A) -> bool'],
  'sets.intersects': ['list(A),list(A) -> bool'],
  'base64.decode': ['string -> bytes'],
  'base64.encode': ['bytes -> string'],
  charAt: ['.string,int -> string'],
  indexOf: ['.string,string -> int', '.string,string,int -> int'],
  lastIndexOf: ['.string,string -> int', '.string,string,int -> int'],
  lowerAscii: ['.string -> string'],
  upperAscii: ['.string -> string'],
  reverse: ['.string -> string'],
  trim: ['.string -> string'],
  replace: ['.string,string,string -> string', '.string,string,string,int -> string'],
  split: ['.string,string -> list(string)', '.string,string,int -> list(string)'],
  substring: ['.string,int -> string', '.string,int,int -> string'],
  join: ['.list(string) -> string', '.list(string),string -> string'],
  format: ['.string,list(dyn) -> string'],
  'strings.quote': ['string -> string'],
};

export const signatures: ReadonlyMap<string, readonly Signature[]> = new Map(
  Object.entries(declarations).map(([name, texts]) => [name, texts.map(parseSignature)]),
);

function parseSignature(text: string): Signature {
  const isMethod = text.startsWith('.');
  const [args = '', result = ''] = (isMethod ? text.slice(1) : text).split('->');
  return { isMethod, args: splitTypes(args).map(parseType), result: parseType(result) };
}
