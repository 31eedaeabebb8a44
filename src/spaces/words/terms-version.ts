/**
 * Which terms a text has (`terms.ts`), and how tags are compared: one more with every change of them. A projection that was built with others is
 * discarded, and built again from the ledger.
 */
export const TERMS_VERSION = 4;
