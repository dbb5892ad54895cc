/** The sentences of the workspace around its files: openers, tabs, palette, search, trash. */

export const workspaceEn = {
  openAsText: "Open as text", openAsImage: "Open as picture", openAsNotebook: "Open as a notebook", openAsTable: "Open as table", openAsPdf: "Open as PDF", openInParts: "Look at parts of it",
  // tabs and palette
  tabs: "Open files", tabsN: "Open files, group {n}", tabActions: "Actions for this tab", splitRight: "Split to the right", moveLeft: "Move to the left group",
  moveRight: "Move to the right group", closeOthers: "Close the others", copyLink: "Copy link to this place", history: "History", fileHistory: "History of this file", palette: "Commands and files",
  paletteHint: "A file's name, or > for commands", nothingFound: "Nothing found.", commandOpen: "Open a file by name", commandSearch: "Search in files",
  commandTrash: "Show what was deleted", commandClose: "Close this tab",
  keyPalette: "All commands", keyOpen: "Open a file by name (name:line for a line)", keySearch: "Search and replace in files", keySplit: "Split to the right",
  keyMoveTab: "Move a tab along (on the tab)", keyTree: "Move a file: cut, and paste in another folder", keyMenu: "Menu of a file or tab", keyDelete: "Delete a file (it goes to the trash)",
  // files
  topFolder: "the project's top folder", movedTo: "{n} moved to “{name}”.", removed: "“{name}” is in the trash.", removedN: "{n} are in the trash.", removeN: "Delete {n}",
  cut: "Cut", pasteHere: "Paste here", copyPath: "Copy path", downloadZip: "Download as zip", uploadingN: "Uploading {name}, {n} to go…",
  clashOne: "“{name}” is there already.", clashN: "{n} of these names are there already.", clashReplace: "Replace (the old goes to the trash)", clashBoth: "Keep both", clashSkip: "Skip",
  // trash
  trash: "Trash", trashHint: "Kept for 7 days, as far as there is room.", trashEmpty: "Nothing was deleted.", emptyTrash: "Empty", emptySure: "Delete {n} for good", restore: "Put back",
  restoreName: "Put “{name}” back", forGood: "Delete for good", forGoodName: "Delete “{name}” for good",
  // search
  search: "Search", searchText: "Search for", matchCase: "Match case", wholeWord: "Whole words", asPattern: "Pattern (RE2)", replace: "Replace", replaceWith: "Replace with",
  onlyFiles: "Only in files", onlyFilesHint: "Only in: *.py, *.md", searching: "Searching…", searchHint: "Type to search in all files of the project.",
  foundIn: "{n} in {files} files.", foundMore: "There are more: search for something narrower.", replaceIn: "Replace in {files} files",
  replacedIn: "{n} replaced in {files} files.", replaceUndone: "Undone in {files} files.", notReplaced: "Left alone, changed since: {names}.",
  // terminals and resources
  findInTerminal: "Find in this terminal", findBefore: "The one before", findNext: "The next one", splitBelow: "Show another one below", unsplit: "Show one alone",
  changeSlots: "Change…", slotCores: "Cores", slotMemory: "Memory (GiB)", slotsApply: "Restart with these",
  slotsSure: "This ends the session and begins a new one. Variables and running programs end; files stay.",
  image: "Image", changeImage: "Image…", imageNow: "now", imageEnds: "Ends", imageEndsWhat: "The session: variables, terminals, running programs, and packages that pip installed in it.",
  imageStays: "Stays", imageStaysWhat: "Files with their history, secrets, datasets, and who is in the project.", imageMayNot: "May not fit", imageMayNotWhat: "A virtual environment among the files, and notebooks in a language that the image does not have.",
  imageApply: "Restart with this image", imageChanging: "Restarting…", notSavedFirst: "Not everything could be saved. Nothing was changed.",
  onlyLook: "You may look at this project", onlyLookHint: "Running and changing it is for its editors. Fork it to have one of your own.",
  // viewers
  rowsOf: "Rows {from}–{to} of {n}", columnsN: "{n} columns", row: "Row", before: "Back", next: "Next", emptyFile: "This file is empty.", place: "Place in the file",
  pagesN: "{n} pages", pageN: "Page {n}", smaller: "Smaller", larger: "Larger",
  partOf: "A part of this large file: {from} to {to} of {size}. Read only.", binaryPart: "This is not text. Its bytes, {from} to {to} of {size}:", notAPicture: "This file is not a picture that can be shown.",
};

export const workspaceKo: Record<keyof typeof workspaceEn, string> = {
  openAsText: "텍스트로 열기", openAsImage: "그림으로 열기", openAsNotebook: "노트북으로 열기", openAsTable: "표로 열기", openAsPdf: "PDF로 열기", openInParts: "부분씩 보기",
  tabs: "열린 파일", tabsN: "열린 파일, {n}번째 묶음", tabActions: "이 탭의 메뉴", splitRight: "오른쪽으로 나누기", moveLeft: "왼쪽 묶음으로 옮기기",
  moveRight: "오른쪽 묶음으로 옮기기", closeOthers: "다른 탭 닫기", copyLink: "이 자리의 링크 복사", history: "기록", fileHistory: "이 파일의 기록", palette: "명령과 파일",
  paletteHint: "파일 이름, 명령은 > 다음에", nothingFound: "찾은 것이 없습니다.", commandOpen: "이름으로 파일 열기", commandSearch: "파일에서 찾기",
  commandTrash: "지운 것 보기", commandClose: "이 탭 닫기",
  keyPalette: "모든 명령", keyOpen: "이름으로 파일 열기 (이름:줄 번호)", keySearch: "파일에서 찾아 바꾸기", keySplit: "오른쪽으로 나누기",
  keyMoveTab: "탭 옮기기 (탭에서)", keyTree: "파일 옮기기: 잘라내서 다른 폴더에 붙여넣기", keyMenu: "파일이나 탭의 메뉴", keyDelete: "파일 삭제 (휴지통으로)",
  topFolder: "맨 위 폴더", movedTo: "{n}개를 ‘{name}’ 폴더로 옮겼습니다.", removed: "‘{name}’ 항목을 휴지통에 넣었습니다.", removedN: "{n}개를 휴지통에 넣었습니다.", removeN: "{n}개 삭제",
  cut: "잘라내기", pasteHere: "여기에 붙여넣기", copyPath: "경로 복사", downloadZip: "zip으로 내려받기", uploadingN: "{name} 올리는 중, {n}개 남음…",
  clashOne: "‘{name}’ 파일이 이미 있습니다.", clashN: "이름 {n}개가 이미 있습니다.", clashReplace: "바꾸기 (옛 파일은 휴지통으로)", clashBoth: "둘 다 두기", clashSkip: "건너뛰기",
  trash: "휴지통", trashHint: "공간이 되는 만큼 7일 동안 보관합니다.", trashEmpty: "지운 것이 없습니다.", emptyTrash: "비우기", emptySure: "{n}개 완전히 삭제", restore: "되돌려 놓기",
  restoreName: "‘{name}’ 되돌려 놓기", forGood: "완전히 삭제", forGoodName: "‘{name}’ 완전히 삭제",
  search: "찾기", searchText: "찾을 글", matchCase: "대소문자 구분", wholeWord: "온전한 낱말", asPattern: "패턴 (RE2)", replace: "바꾸기", replaceWith: "바꿀 글",
  onlyFiles: "이 파일에서만", onlyFilesHint: "이 파일만: *.py, *.md", searching: "찾는 중…", searchHint: "입력하면 프로젝트의 모든 파일에서 찾습니다.",
  foundIn: "파일 {files}개에서 {n}건.", foundMore: "더 있습니다. 찾을 글을 좁혀 보세요.", replaceIn: "파일 {files}개에서 바꾸기",
  replacedIn: "파일 {files}개에서 {n}건을 바꿨습니다.", replaceUndone: "파일 {files}개를 되돌렸습니다.", notReplaced: "그 뒤에 바뀌어 그대로 둔 파일: {names}.",
  findInTerminal: "이 터미널에서 찾기", findBefore: "이전 것", findNext: "다음 것", splitBelow: "아래에 하나 더 보기", unsplit: "하나만 보기",
  changeSlots: "바꾸기…", slotCores: "코어", slotMemory: "메모리 (GiB)", slotsApply: "이대로 다시 시작",
  slotsSure: "지금 세션을 끝내고 새로 시작합니다. 변수와 실행 중인 프로그램은 사라지고, 파일은 남습니다.",
  image: "이미지", changeImage: "이미지…", imageNow: "지금", imageEnds: "끝나는 것", imageEndsWhat: "세션과 그 변수, 터미널, 실행 중인 프로그램, 세션 안에 pip으로 설치한 패키지.",
  imageStays: "남는 것", imageStaysWhat: "파일과 그 기록, 비밀 값, 데이터셋, 프로젝트의 사람들.", imageMayNot: "맞지 않을 수 있는 것", imageMayNotWhat: "파일 가운데 있는 가상 환경, 새 이미지에 없는 언어로 쓴 노트북.",
  imageApply: "이 이미지로 다시 시작", imageChanging: "다시 시작하는 중…", notSavedFirst: "저장하지 못한 것이 있어 아무것도 바꾸지 않았습니다.",
  onlyLook: "이 프로젝트를 볼 수 있습니다", onlyLookHint: "실행하고 고치는 것은 편집자만 할 수 있습니다. 포크하면 내 프로젝트로 만들 수 있습니다.",
  rowsOf: "{n}행 중 {from}–{to}행", columnsN: "{n}열", row: "행", before: "이전", next: "다음", emptyFile: "빈 파일입니다.", place: "파일에서의 자리",
  pagesN: "{n}쪽", pageN: "{n}쪽", smaller: "작게", larger: "크게",
  partOf: "큰 파일의 일부: {size} 중 {from}부터 {to}까지. 읽기 전용.", binaryPart: "글자로 된 파일이 아닙니다. {size} 중 {from}부터 {to}까지의 바이트:", notAPicture: "보여 줄 수 있는 그림이 아닙니다.",
};
