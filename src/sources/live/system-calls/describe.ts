import type { Stack } from '../../../model/stack.ts';
import type { SystemCall } from '../../../model/system-call.ts';
import type { TaskDetails, TaskNumbers } from '../procfs/task-details.ts';
import { type Answer, decodeSystemCall, keyOf, printSystemCall, type Question } from './decode.ts';

/** Where to look; {@link TaskDetails} for tasks of this host. */
export type Details = Pick<TaskDetails, 'descriptor' | 'workingDirectory' | 'memory' | 'isStillIn'>;

export interface TaskInCall {
  readonly task: TaskNumbers;
  readonly call: SystemCall;
  /** Where it could be read. */
  readonly stack: Stack | undefined;
}

export interface DescribeOptions {
  readonly details: Details;
  /** process.arch of the host. */
  readonly architecture: string;
}

/**
 * A call in one line of safe text, with what its arguments refer to, as far as the task lets that be seen: it is looked
 * at until no answer raises a new question. Without any of that where the task has left the call meanwhile.
 */
export async function describeCall(
  { task, call, stack }: TaskInCall,
  { details, architecture }: DescribeOptions,
): Promise<string> {
  const decoded = decodeSystemCall(call, architecture, stack);
  const answers = new Map<string, Answer>();
  for (;;) {
    const open = new Map<string, Question>();
    const text = printSystemCall(decoded, (question) => {
      const key = keyOf(question);
      if (!answers.has(key)) open.set(key, question);
      return answers.get(key);
    });
    if (open.size === 0) {
      const stillTrue = answers.size === 0 || (await details.isStillIn(task, call));
      return stillTrue ? text : printSystemCall(decoded, () => undefined);
    }
    await Promise.all(
      Array.from(open, async ([key, question]) => answers.set(key, await answerOf(task, question, details))),
    );
  }
}

function answerOf(task: TaskNumbers, question: Question, details: Details): Promise<Answer> {
  if (question.kind === 'fd') return details.descriptor(task, question.fd);
  if (question.kind === 'cwd') return details.workingDirectory(task);
  return details.memory(task, question.address, question.bytes);
}
