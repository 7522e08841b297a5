/** What the live API has done since it was configured; each number has one owner, which changes it in place. */

export interface LiveCounts {
  answered: number;
  refused: number;
  rateLimited: number;
  malformed: number;
  refusedConnections: number;
  /** Open now. */
  openConnections: number;
  openSockets: number;
  subscriptions: number;
  messagesIn: number;
  messagesOut: number;
  dropped: number;
  slowReaders: number;
}

export function createCounts(): LiveCounts {
  return {
    answered: 0,
    refused: 0,
    rateLimited: 0,
    malformed: 0,
    refusedConnections: 0,
    openConnections: 0,
    openSockets: 0,
    subscriptions: 0,
    messagesIn: 0,
    messagesOut: 0,
    dropped: 0,
    slowReaders: 0,
  };
}
