/** The notebook's sentences, in English and Korean: apart from the workspace's, which need not wait for them. */
import { MadangElement } from "../element.js";
import { fill, type Language } from "../i18n.js";

const en = {
  notebook: "Notebook {name}", toolbar: "Notebook tools",
  // cells
  codeCell: "Code cell", markdownCell: "Text cell", rawCell: "Raw cell", cellAt: "{type} {at} of {n}", selectedCell: "selected", ranAs: "run {n}",
  source: "Text of cell {at}", emptyMarkdown: "Empty text. Press Enter, or click twice, to write.", code: "Code", markdown: "Text", raw: "Raw",
  section: "Section", fold: "Fold the section", unfold: "Unfold the section", foldedOne: "1 cell folded", foldedN: "{n} cells folded",
  inputHidden: "Code hidden", outputHidden: "Output hidden", show: "Show", queuedAt: "waiting, number {n}", cellQueued: "waiting", cellRunning: "running",
  cellFailed: "failed", othersHere: "{name} is here",
  answer: "Answer", answerHidden: "Answer (hidden)", send: "Send", dragCell: "Drag to move the cell",
  // doing something to cells
  runCell: "Run this cell", addCode: "Code", addText: "Text", addCodeHere: "Add a code cell here", addTextHere: "Add a text cell here",
  cellTools: "Cell tools", moveUp: "Move up", moveDown: "Move down", remove: "Delete", duplicate: "Duplicate", more: "More",
  hideInput: "Hide the code", showInput: "Show the code", hideOutput: "Hide the output", showOutput: "Show the output", scrollOutput: "Scroll long output", clearOutput: "Clear the output",
  tags: "Tags", addTag: "Add a tag", removeTag: "Remove the tag {tag}", mergeBelow: "Merge with the next cell",
  removed: "{n} cells deleted.", removedOne: "Cell deleted.", undo: "Undo", close: "Close", cellType: "Cell type",
  // tools
  run: "Run and advance", runAll: "Run all", runAbove: "Run all above", runBelow: "Run this and all below", interrupt: "Interrupt", restart: "Restart kernel",
  restartRunAll: "Restart and run all", clearAll: "Clear all outputs", find: "Find and replace", outline: "Outline", variables: "Variables",
  lineNumbers: "Line numbers", exportPy: "Export as {ending}", exportHtml: "Export as HTML", exportPdf: "Print, or save as PDF", keys: "Keys of the notebook", undoCells: "Undo cell change", redoCells: "Redo cell change",
  restartSure: "Restart the kernel? Its variables are lost, outputs stay.", restartAllSure: "Restart the kernel and run all cells?", cancel: "Cancel",
  kernel_none: "no kernel yet", kernel_starting: "kernel starting", kernel_idle: "kernel idle", kernel_busy: "kernel busy", kernel_restarting: "kernel restarting", kernel_dead: "kernel ended",
  kernel_queue: "{n} waiting",
  // panels
  outlineEmpty: "Headings of text cells are listed here.", variablesEmpty: "No variables yet. Run a cell.", variablesBusy: "The list comes when the kernel is idle.",
  variablesNone: "Only Python kernels list their variables.", variablesOff: "The kernel has not started. Run a cell.", name: "Name", type: "Type", value: "Value", refresh: "Refresh",
  findLabel: "Find", replaceLabel: "Replace with", previous: "Previous match", next: "Next match", replace: "Replace", replaceAll: "Replace all",
  matchCase: "Match case", useRegex: "Regular expression", foundAt: "{at} of {n}", foundNone: "nothing found", badPattern: "not a regular expression",
  // the document
  loading: "Opening the notebook", saving: "saving…", saved: "saved", reconnecting: "reconnecting…", readOnly: "You may read this notebook, not change it.",
  gone: "The notebook was removed or renamed. What is here is not lost: download it as a file.", goneBack: "Download", saveFailed: "The notebook could not be saved.",
  noNotebook: "“{name}” is not a notebook that can be opened.", noNotebookHint: "It is not valid notebook format 4. Nothing in it was changed: you can look at its text.",
  openAsText: "Open as text", openFailed: "“{name}” could not be opened.", tooLarge: "“{name}” is too large to be opened as a notebook.",

  // keys
  k_mode: "Leave the text, command keys work", k_edit: "Edit the cell", k_runAdvance: "Run, go to the next cell", k_runStay: "Run", k_runInsert: "Run, insert a cell below",
  k_insert: "Insert a cell above, below", k_dd: "Delete", k_z: "Undo, redo what happened to cells", k_xcv: "Cut, copy, paste below, paste above", k_type: "Code, text, raw", k_heading: "Heading 1 to 6",
  k_move: "Previous, next cell", k_extend: "Select more cells", k_all: "Select all cells", k_split: "Split the cell at the cursor", k_merge: "Merge selected cells, or with the next", k_order: "Move the cell up, down",
  k_ii: "Interrupt", k_00: "Restart the kernel", k_l: "Line numbers, of all cells", k_fold: "Fold and unfold the section of a heading", k_o: "Hide or show the output, scroll it", k_find: "Find and replace", k_complete: "Complete", k_inspect: "Explain what is at the cursor", k_h: "This list",
};

export type Word = keyof typeof en;

const ko: Record<Word, string> = {
  notebook: "노트북 {name}", toolbar: "노트북 도구",
  codeCell: "코드 셀", markdownCell: "글 셀", rawCell: "원문 셀", cellAt: "{type}, {n}개 중 {at}번째", selectedCell: "선택됨", ranAs: "실행 {n}",
  source: "{at}번째 셀 내용", emptyMarkdown: "빈 글입니다. Enter를 누르거나 두 번 눌러 쓰세요.", code: "코드", markdown: "글", raw: "원문",
  section: "섹션", fold: "섹션 접기", unfold: "섹션 펼치기", foldedOne: "셀 1개 접힘", foldedN: "셀 {n}개 접힘",
  inputHidden: "코드를 숨김", outputHidden: "출력을 숨김", show: "보기", queuedAt: "{n}번째로 기다림", cellQueued: "차례 기다림", cellRunning: "실행 중",
  cellFailed: "오류", othersHere: "{name} 님이 여기 있습니다",
  answer: "답", answerHidden: "답 (보이지 않음)", send: "보내기", dragCell: "끌어서 셀 옮기기",
  runCell: "이 셀 실행", addCode: "코드", addText: "글", addCodeHere: "여기에 코드 셀 추가", addTextHere: "여기에 글 셀 추가",
  cellTools: "셀 도구", moveUp: "위로 옮기기", moveDown: "아래로 옮기기", remove: "삭제", duplicate: "복제", more: "더 보기",
  hideInput: "코드 숨기기", showInput: "코드 보기", hideOutput: "출력 숨기기", showOutput: "출력 보기", scrollOutput: "긴 출력 스크롤", clearOutput: "출력 지우기",
  tags: "태그", addTag: "태그 추가", removeTag: "태그 {tag} 지우기", mergeBelow: "다음 셀과 합치기",
  removed: "셀 {n}개를 삭제했습니다.", removedOne: "셀을 삭제했습니다.", undo: "되돌리기", close: "닫기", cellType: "셀 종류",
  run: "실행하고 다음으로", runAll: "모두 실행", runAbove: "위의 셀 모두 실행", runBelow: "이 셀부터 모두 실행", interrupt: "실행 중단", restart: "커널 다시 시작",
  restartRunAll: "다시 시작하고 모두 실행", clearAll: "출력 모두 지우기", find: "찾기와 바꾸기", outline: "차례", variables: "변수",
  lineNumbers: "줄 번호", exportPy: "{ending} 파일로 내보내기", exportHtml: "HTML로 내보내기", exportPdf: "인쇄 또는 PDF로 저장", keys: "노트북 단축키", undoCells: "셀 변경 되돌리기", redoCells: "셀 변경 다시 하기",
  restartSure: "커널을 다시 시작할까요? 변수는 사라지고, 출력은 남습니다.", restartAllSure: "커널을 다시 시작하고 모든 셀을 실행할까요?", cancel: "취소",
  kernel_none: "아직 커널 없음", kernel_starting: "커널 시작 중", kernel_idle: "커널 대기", kernel_busy: "커널 실행 중", kernel_restarting: "커널 다시 시작 중", kernel_dead: "커널 종료됨",
  kernel_queue: "{n}개 대기",
  outlineEmpty: "글 셀의 제목이 여기에 나옵니다.", variablesEmpty: "아직 변수가 없습니다. 셀을 실행해 보세요.", variablesBusy: "커널이 쉬면 목록이 나옵니다.",
  variablesNone: "변수 목록은 파이썬 커널에서만 볼 수 있습니다.", variablesOff: "커널이 아직 시작되지 않았습니다. 셀을 실행해 보세요.", name: "이름", type: "형", value: "값", refresh: "새로 고침",
  findLabel: "찾기", replaceLabel: "바꿀 말", previous: "이전 결과", next: "다음 결과", replace: "바꾸기", replaceAll: "모두 바꾸기",
  matchCase: "대소문자 구분", useRegex: "정규식", foundAt: "{n}개 중 {at}번째", foundNone: "결과 없음", badPattern: "올바른 정규식이 아님",
  loading: "노트북 여는 중", saving: "저장하는 중…", saved: "저장됨", reconnecting: "다시 연결하는 중…", readOnly: "이 노트북은 읽을 수만 있습니다.",
  gone: "노트북 파일이 지워졌거나 이름이 바뀌었습니다. 여기 있는 내용은 그대로이니 파일로 내려받으세요.", goneBack: "내려받기", saveFailed: "노트북을 저장하지 못했습니다.",
  noNotebook: "‘{name}’ 파일은 열 수 있는 노트북이 아닙니다.", noNotebookHint: "올바른 노트북 형식(버전 4)이 아닙니다. 내용은 바뀌지 않았고, 텍스트로 볼 수 있습니다.",
  openAsText: "텍스트로 열기", openFailed: "‘{name}’ 파일을 열지 못했습니다.", tooLarge: "‘{name}’ 파일은 너무 커서 노트북으로 열 수 없습니다.",
  k_mode: "글에서 나와 명령 키 쓰기", k_edit: "셀 편집", k_runAdvance: "실행하고 다음 셀로", k_runStay: "실행", k_runInsert: "실행하고 아래에 셀 추가",
  k_insert: "위, 아래에 셀 추가", k_dd: "삭제", k_z: "셀 변경 되돌리기, 다시 하기", k_xcv: "잘라 내기, 복사, 아래에 붙이기, 위에 붙이기", k_type: "코드, 글, 원문", k_heading: "제목 1~6",
  k_move: "이전, 다음 셀", k_extend: "셀 더 선택", k_all: "모든 셀 선택", k_split: "커서에서 셀 나누기", k_merge: "선택한 셀이나 다음 셀과 합치기", k_order: "셀을 위, 아래로 옮기기",
  k_ii: "실행 중단", k_00: "커널 다시 시작", k_l: "줄 번호, 모든 셀의 줄 번호", k_fold: "제목의 섹션 접기, 펼치기", k_o: "출력 숨기기와 보기, 스크롤", k_find: "찾기와 바꾸기", k_complete: "자동 완성", k_inspect: "커서 자리의 설명 보기", k_h: "이 목록",
};

export function say(language: Language, word: Word, values: Record<string, string | number> = {}): string {
  return fill((language === "ko" ? ko : en)[word], values);
}

/** What the notebook's elements share. */
export class NotebookElement extends MadangElement {
  protected w(word: Word, values?: Record<string, string | number>): string {
    return say(this.languageCode, word, values);
  }
}
