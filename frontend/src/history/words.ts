/** The sentences of the history, in English and Korean: its chunk's, which the workspace need not wait for. */
import { MadangElement } from "../element.js";
import { fill, type Language } from "../i18n.js";

const en = {
  title: "History of {name}", slider: "Earlier states", older: "The state before", newer: "The state after", refresh: "Look again", close: "Close",
  state: "{at} of {n}: {when}, {what}", more: "{at} of {n} and more",
  edit: "{who} wrote", kernel: "{who} ran cells", disk: "a program wrote the file", restore: "{who} went back to an earlier state", somebody: "somebody",
  compared: "{name}, then and now", isNow: "This is how it is now. Move the slider to the left to see how it was.", same: "It was then as it is now.",
  legend: "Red: was there then. Green: has come since.",
  goBack: "Restore this state", copy: "Copy to a new file", restored: "It is again as it was then.", undo: "Undo", undone: "Undone.", copied: "Copied to {name}.", open: "Open",
  changed: "Changed", added: "Added since", removed: "Removed since", moved: "Moved", code: "code cell", markdown: "text cell", raw: "raw cell",
  outputsDiffer: "Its outputs were others.", metadataDiffer: "Its text is the same, its settings differ.", sameCells: "{n} cells as they are now", sameCell: "1 cell as it is now",
  onlyMetadata: "The cells are the same; only the notebook's settings differ.", showMore: "Show {n} more", none: "Nothing of this file's past is kept yet.", loading: "Loading…",
};

type Word = keyof typeof en;

const ko: Record<Word, string> = {
  title: "{name} 기록", slider: "이전 상태", older: "더 이전 상태", newer: "다음 상태", refresh: "새로 고침", close: "닫기",
  state: "{n}개 중 {at}번째: {when}, {what}", more: "{n}개 넘는 상태 중 {at}번째",
  edit: "{who} 님이 씀", kernel: "{who} 님이 셀을 실행함", disk: "프로그램이 파일을 씀", restore: "{who} 님이 이전 상태로 되돌림", somebody: "누군가",
  compared: "{name}, 그때와 지금", isNow: "지금 상태입니다. 슬라이더를 왼쪽으로 옮기면 이전 상태를 볼 수 있습니다.", same: "그때와 지금이 같습니다.",
  legend: "빨강: 그때 있던 것. 초록: 그 뒤에 생긴 것.",
  goBack: "이 상태로 되돌리기", copy: "새 파일로 복사", restored: "그때 상태로 되돌렸습니다.", undo: "취소", undone: "취소했습니다.", copied: "{name} 파일로 복사했습니다.", open: "열기",
  changed: "바뀜", added: "뒤에 추가됨", removed: "뒤에 삭제됨", moved: "옮겨짐", code: "코드 셀", markdown: "텍스트 셀", raw: "원본 셀",
  outputsDiffer: "출력이 달랐습니다.", metadataDiffer: "내용은 같고 설정이 다릅니다.", sameCells: "지금과 같은 셀 {n}개", sameCell: "지금과 같은 셀 1개",
  onlyMetadata: "셀은 같고 노트북 설정만 다릅니다.", showMore: "{n}개 더 보기", none: "아직 이 파일의 기록이 없습니다.", loading: "불러오는 중…",
};

/** An element that speaks these. */
export class HistoryElement extends MadangElement {
  protected w(word: Word, values: Record<string, string | number> = {}): string {
    const language: Language = this.languageCode;
    return fill((language === "ko" ? ko : en)[word], values);
  }
}

/** How its templates ask for a sentence. */
export type Say = (word: Word, values?: Record<string, string | number>) => string;
