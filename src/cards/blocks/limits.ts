/** Slack's limits, in characters or items, with room to spare where Slack's own counting is not documented. */
export const LIMITS = {
  messageBlocks: 50,
  homeBlocks: 100,
  headerText: 150,
  /** `chat.update` refuses a longer `text`. */
  text: 3_900,
  sectionText: 3_000,
  fieldText: 2_000,
  buttonText: 75,
  buttonValue: 2_000,
  accessibilityLabel: 75,
  url: 3_000,
  optionText: 75,
  optionValue: 75,
  options: 100,
  confirmTitle: 100,
  confirmText: 300,
  confirmButton: 30,
  inputText: 3_000,
  modalTitle: 24,
  privateMetadata: 3_000,
} as const;
