/** The sentences of the terminals. */

export const terminalEn = {
  openLinkSure: "A program in the terminal made this link. Open it?\n\n{uri}",
  openLinkHint: "{uri}\nCtrl+click opens it", openLinkHintMac: "{uri}\nCmd+click opens it",
  pasteLines: "Paste {n} lines?", pasteLinesWhy: "The program that reads here takes each line as soon as it comes: a shell runs it.",
  pasteMore: "and {n} more lines", pasteAsOne: "Paste as one line", paste: "Paste",
  copyTerminalLink: "Copy link to this terminal",
  readAloud: "For screen readers: on", readAloudOff: "For screen readers: off",
  terminalWith: "also here: {names}", terminalKeys: "Keys",
};

export const terminalKo: Record<keyof typeof terminalEn, string> = {
  openLinkSure: "터미널의 프로그램이 만든 링크입니다. 열까요?\n\n{uri}",
  openLinkHint: "{uri}\nCtrl을 누른 채 클릭하면 열립니다", openLinkHintMac: "{uri}\nCmd를 누른 채 클릭하면 열립니다",
  pasteLines: "{n}줄을 붙여 넣을까요?", pasteLinesWhy: "지금 입력을 읽는 프로그램은 한 줄이 들어올 때마다 바로 받아들입니다. 셸이라면 바로 실행합니다.",
  pasteMore: "외 {n}줄", pasteAsOne: "한 줄로 붙여 넣기", paste: "붙여 넣기",
  copyTerminalLink: "이 터미널의 링크 복사",
  readAloud: "화면 낭독기 맞춤 켜기", readAloudOff: "화면 낭독기 맞춤 끄기",
  terminalWith: "함께 보는 사람: {names}", terminalKeys: "키",
};
