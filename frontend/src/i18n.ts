/** Every sentence of the workspace, in English and Korean. */
import { portsEn, portsKo } from "./i18n-ports.js";
import { toolsEn, toolsKo } from "./i18n-tools.js";
import { terminalEn, terminalKo } from "./i18n-terminal.js";
import { workspaceEn, workspaceKo } from "./i18n-workspace.js";

const en = {
  ...portsEn,
  ...toolsEn,
  ...workspaceEn,
  ...terminalEn,
  // bar and panels
  files: "Files", editor: "Editor", console: "Console", terminal: "Terminal", session: "This session",
  terminalN: "Terminal {n}", newTerminal: "New terminal", closeTab: "Close {name}", panels: "Panels",
  run: "Run", runFile: "Run {name}", runAll: "Run all", interrupt: "Interrupt", restart: "Restart kernel", stop: "Stop", pause: "Pause",
  resume: "Resume", extend: "Extend", startAgain: "Start again", tryAgain: "Try again", cancel: "Cancel", close: "Close",
  moreActions: "More actions", toDashboard: "Madang: to the dashboard", theme: "Light or dark",
  share: "Share",
  resizePanel: "Resize panel", shortcuts: "Keyboard shortcuts", signIn: "Sign in",
  // states
  pending: "waiting for room", preparing: "preparing", running: "running", paused: "paused", stopping: "stopping",
  stopped: "stopped", failed: "failed", starting: "starting",
  core: "{n} core", cores: "{n} cores",
  kernelNone: "no kernel yet", kernelUnknown: "kernel connecting", kernelStarting: "kernel starting", kernelIdle: "kernel idle",
  kernelBusy: "kernel busy", kernelRestarting: "kernel restarting", kernelDead: "kernel ended",
  online: "connected", connecting: "connecting…", reconnecting: "reconnecting…", disconnected: "not connected",
  saved: "saved", saving: "saving…", unsaved: "unsaved", saveFailed: "not saved", noFile: "no file open",
  position: "Ln {line}, Col {column}",
  // problems with the session
  startFailed: "The session did not start.", sessionStopped: "This session has ended.",
  sessionFailed: "This session failed.", whyIdle: "It had been idle for its time limit.",
  diskFull: "The project's disk space is used up. Nothing is lost: delete some files, and saving works again.",
  processesFull: "The session has as many processes as it may. End some in a terminal, or restart the kernel.",
  memoryFull: "The session's memory was full, and a program in it was ended.",
  gpuMemoryFull: "It used more of the GPU's memory than its share, and a program in it was ended.",
  filesAreSafe: "Your files are saved. Variables and running programs are gone.",
  notYours: "This project belongs to somebody else, or you were signed out.",
  offline: "The site cannot be reached. Your work goes on there; this page comes back by itself.",
  pausedHere: "The session is paused: nothing runs, nothing is lost.",
  stopSure: "Stop the session? Variables and running programs end. Files stay.",
  restartSure: "Restart the kernel? Its variables are lost. Files stay.",
  // files
  newFile: "New file", newNotebook: "New notebook", newFolder: "New folder", upload: "Upload files", refresh: "Refresh", rename: "Rename",
  remove: "Delete", download: "Download", undo: "Undo",
  fileActions: "Actions for {name}", nameLabel: "Name", filesEmpty: "No files yet.",
  filesEmptyHint: "Make one, or drop files here.", filesFailed: "The files could not be listed.",
  tooLarge: "“{name}” is {size}. The limit here is {limit}.", tooLargeServer: "“{name}” is {size}, more than this site takes.",
  uploading: "Uploading {name}…",
  uploadFailed: "“{name}” was not uploaded: {why}", exists: "There is something named “{name}” already.",
  badName: "A name has no slash, is not empty, and is at most 200 characters long.", folder: "folder",
  // editor
  loading: "Loading…", notText: "This file cannot be edited as text.", openFailed: "“{name}” could not be opened.",
  changedOnDisk: "“{name}” was changed elsewhere since you opened it.", keepMine: "Keep mine", takeTheirs: "Take theirs",
  deletedOnDisk: "“{name}” was deleted or renamed elsewhere. Saving makes it again.", saveAgain: "Save again",
  nothingOpen: "No file is open.", nothingOpenHint: "Choose one on the left, or make a new one.", editing: "Text of {name}",
  saveNow: "Save now",
  // console
  consoleInput: "Code to run", consoleLog: "What ran", consoleEmpty: "Type code below and press Shift+Enter.",
  consoleEmptyHint: "What ran stays here, on every device, for as long as the session lives.",
  inputHint: "Shift+Enter runs · Tab completes · ↑ earlier code",
  queued: "waiting", cellRunning: "running", cellFailed: "failed", cellAborted: "did not run to its end",
  cellLost: "The kernel never got this.", runAgain: "Run again", discard: "Discard", reuse: "Use this code again",
  showAll: "Show all {n} lines", showLess: "Show less", linesHidden: "{n} earlier lines are hidden", downloadText: "Download as text",
  restartedHere: "Kernel restarted: variables from above are gone", cutHere: "Earlier output is no longer kept",
  outputsCut: "{n} earlier outputs of this cell are not kept here.", textCut: "{n} characters before this are not kept here.",
  codeGone: "code no longer kept", answer: "Answer", answerPassword: "Answer (hidden)", answered: "answered",
  send: "Send", outputFrame: "HTML output", jsonTree: "JSON output", goToLine: "Go to cell {count}, line {line}",
  notLive: "This output is interactive only where its own JavaScript runs ({type}), which is not here. As text:", picture: "Picture made by the code", kernelEnded: "The kernel has ended.",
  jumpDown: "Latest", busyNow: "busy",
  // terminal
  terminalEnded: "The shell has ended: {why}", newShell: "Start a new shell", terminalCut: "Earlier output is no longer kept.",
  noTerminals: "No terminal is open.", terminalsWait: "Terminals open when the session runs.", terminalScreen: "Terminal {name}", terminalFailed: "The terminal did not start.",
  terminalGone: "This terminal is gone.",
  // usage
  cpuOf: "CPU of {n}", memoryOf: "Memory of {n}", processesOf: "Processes of {n}", written: "Written", rate: "{n}/s",
  network: "Received", sentToo: "{n} sent",
  endsIn: "Ends when idle in", endsSoon: "Idle: this session ends in {time}.", endsShort: "ends in {time}", noEnd: "no limit", minutes: "{n} min",
  seconds: "{n} s", cpuUsed: "{n} CPU so far", peak: "peak {n}", diskOf: "Disk of {n}", fileOne: "1 file", filesN: "{n} files", diskNow: "disk {n}", gpuOf: "GPU, {n}", gpuMemory: "{n} of its memory", cost: "Cost so far", perHour: "{n} an hour", free: "free", lastMinutes: "last 2 minutes", extended: "Extended.",
  // refusals: one sentence for each reason of sandbox/policy/rules.py
  refused: "Refused: {call} ×{n}", refusals: "What the policy refused",
  refused_namespaces: "A program tried to make namespaces of its own, as containers do.",
  refused_mounts: "A program tried to mount, unmount or change its root folder.",
  refused_tracing: "A program tried to trace another one or to read its memory, as debuggers do.",
  refused_kernel: "A program asked for a part of the kernel that is closed here.",
  refused_keys: "A program tried to use the kernel's keyrings.",
  refused_sockets: "A program asked for a kind of network socket that is closed here.",
  refused_typing: "A program tried to type into a terminal in the user's place.",
  refused_runner: "A program tried to signal or to change the process that runs this session.",
  refused_processes: "The session has as many processes and threads as it may have.",
  refused_programs: "A program tried to start code that is not one of this image's programs.",
  refused_clock: "A program tried to set the clock or to restart the machine.",
  refused_broken: "A rule of the policy failed, and what cannot be judged is refused. The operator finds it in the log.",
  // shortcuts
  keySave: "Save the file", keyRun: "Run the file or the cell", keyPanels: "Next panel (Shift: the one before)",
  keyFiles: "To the files", keyEditor: "To the editor", keyConsole: "To the console", keyTerminal: "To the terminal",
  keyInterrupt: "Interrupt (outside a text field)", keyInterruptC: "Interrupt from the console, when nothing is selected",
  people: "Also here", followPerson: "{name} is in {file}: follow",
  keyHelp: "This list", keyComplete: "Complete", keyInspect: "Explain what is under the cursor", keyHistory: "Earlier code",
  keyTabOut: "Leave a text field with Tab: press Esc first",
};

export type Key = keyof typeof en;

export function hasKey(key: string): key is Key {
  return Object.hasOwn(en, key);
}

const ko: Record<Key, string> = {
  ...portsKo,
  ...toolsKo,
  ...workspaceKo,
  ...terminalKo,
  files: "파일", editor: "편집기", console: "콘솔", terminal: "터미널", session: "이 세션",
  terminalN: "터미널 {n}", newTerminal: "새 터미널", closeTab: "{name} 닫기", panels: "화면 전환",
  run: "실행", runAll: "모두 실행", runFile: "{name} 실행", interrupt: "실행 중단", restart: "커널 다시 시작", stop: "종료", pause: "일시 정지",
  resume: "이어서 하기", extend: "시간 늘리기", startAgain: "다시 시작", tryAgain: "다시 시도", cancel: "취소", close: "닫기",
  moreActions: "더 보기", toDashboard: "마당: 대시보드로", theme: "밝게 또는 어둡게",
  share: "공유",
  resizePanel: "칸 크기 조절", shortcuts: "단축키", signIn: "로그인",
  pending: "자리를 기다리는 중", preparing: "준비 중", running: "실행 중", paused: "일시 정지됨", stopping: "종료하는 중",
  stopped: "종료됨", failed: "실패함", starting: "시작하는 중",
  core: "코어 {n}개", cores: "코어 {n}개",
  kernelNone: "아직 커널 없음", kernelUnknown: "커널 연결 중", kernelStarting: "커널 시작 중", kernelIdle: "커널 대기", kernelBusy: "커널 실행 중",
  kernelRestarting: "커널 다시 시작 중", kernelDead: "커널 종료됨",
  online: "연결됨", connecting: "연결하는 중…", reconnecting: "다시 연결하는 중…", disconnected: "연결 끊김",
  saved: "저장됨", saving: "저장하는 중…", unsaved: "저장 안 됨", saveFailed: "저장 실패", noFile: "열린 파일 없음",
  position: "{line}행 {column}열",
  startFailed: "세션을 시작하지 못했습니다.", sessionStopped: "세션이 끝났습니다.", sessionFailed: "세션에 문제가 생겨 끝났습니다.",
  whyIdle: "정해진 시간 동안 쓰지 않아 끝났습니다.",
  diskFull: "프로젝트의 디스크 공간을 모두 썼습니다. 사라진 것은 없습니다. 파일을 지우면 다시 저장할 수 있습니다.",
  processesFull: "세션의 프로세스 수가 한도에 이르렀습니다. 터미널에서 일부를 끝내거나 커널을 다시 시작하세요.",
  memoryFull: "세션의 메모리가 가득 차서 프로그램 하나가 종료되었습니다.",
  gpuMemoryFull: "GPU 메모리를 할당된 몫보다 많이 사용하여 프로그램 하나가 종료되었습니다.",
  filesAreSafe: "파일은 그대로 있습니다. 변수와 실행 중이던 프로그램은 사라졌습니다.",
  notYours: "다른 사람의 프로젝트이거나 로그아웃된 상태입니다.",
  offline: "서버에 연결할 수 없습니다. 작업은 서버에서 계속되며, 이 화면은 저절로 다시 연결됩니다.",
  pausedHere: "세션이 멈춰 있습니다. 실행은 쉬고, 잃는 것은 없습니다.",
  stopSure: "세션을 종료할까요? 변수와 실행 중인 프로그램은 사라지고, 파일은 남습니다.",
  restartSure: "커널을 다시 시작할까요? 변수는 사라지고, 파일은 남습니다.",
  newFile: "새 파일", newNotebook: "새 노트북", newFolder: "새 폴더", upload: "파일 올리기", refresh: "새로 고침", rename: "이름 바꾸기",
  remove: "삭제", download: "내려받기", undo: "되돌리기",
  fileActions: "{name} 메뉴", nameLabel: "이름", filesEmpty: "아직 파일이 없습니다.",
  filesEmptyHint: "새로 만들거나 여기로 끌어다 놓으세요.", filesFailed: "파일 목록을 가져오지 못했습니다.",
  tooLarge: "‘{name}’ 파일은 {size}입니다. 여기서는 {limit}까지 올릴 수 있습니다.",
  tooLargeServer: "‘{name}’ 파일은 {size}로, 이 사이트에 올릴 수 있는 크기를 넘습니다.",
  uploading: "{name} 올리는 중…",
  uploadFailed: "‘{name}’ 파일을 올리지 못했습니다: {why}", exists: "‘{name}’ 이름이 이미 있습니다.",
  badName: "이름은 비워 둘 수 없고, 빗금(/) 없이 200자까지 쓸 수 있습니다.", folder: "폴더",
  loading: "불러오는 중…", notText: "글자로 편집할 수 없는 파일입니다.", openFailed: "‘{name}’ 파일을 열지 못했습니다.",
  changedOnDisk: "‘{name}’ 파일이 연 뒤에 다른 곳에서 바뀌었습니다.", keepMine: "내 것으로 저장", takeTheirs: "바뀐 것 가져오기",
  deletedOnDisk: "‘{name}’ 파일이 다른 곳에서 지워졌거나 이름이 바뀌었습니다. 저장하면 다시 만들어집니다.", saveAgain: "다시 저장",
  nothingOpen: "열린 파일이 없습니다.", nothingOpenHint: "왼쪽에서 고르거나 새로 만드세요.", editing: "{name} 내용",
  saveNow: "지금 저장",
  consoleInput: "실행할 코드", consoleLog: "실행 기록", consoleEmpty: "아래에 코드를 쓰고 Shift+Enter를 누르세요.",
  consoleEmptyHint: "실행한 것은 세션이 살아 있는 동안 어느 기기에서나 여기에 남습니다.",
  inputHint: "Shift+Enter 실행 · Tab 완성 · ↑ 이전 코드",
  queued: "차례 기다림", cellRunning: "실행 중", cellFailed: "오류", cellAborted: "끝까지 실행되지 않음",
  cellLost: "커널에 전달되지 않았습니다.", runAgain: "다시 실행", discard: "버리기", reuse: "이 코드 다시 쓰기",
  showAll: "{n}줄 모두 보기", showLess: "접기", linesHidden: "앞의 {n}줄을 접어 두었습니다", downloadText: "텍스트로 내려받기",
  restartedHere: "커널을 다시 시작했습니다. 위의 변수는 사라졌습니다", cutHere: "더 앞의 출력은 보관되지 않습니다",
  outputsCut: "이 셀의 앞선 출력 {n}개는 여기에 남아 있지 않습니다.", textCut: "이 앞의 {n}자는 여기에 남아 있지 않습니다.",
  codeGone: "코드가 더는 보관되지 않음", answer: "답", answerPassword: "답 (보이지 않음)", answered: "답함",
  send: "보내기", outputFrame: "HTML 출력", jsonTree: "JSON 출력", goToLine: "셀 {count}, {line}행으로 가기",
  notLive: "이 출력은 자체 자바스크립트({type})가 있어야 움직이며, 여기서는 텍스트로 보입니다.", picture: "코드가 그린 그림", kernelEnded: "커널이 끝났습니다.",
  jumpDown: "맨 아래로", busyNow: "실행 중",
  terminalEnded: "셸이 끝났습니다: {why}", newShell: "새 셸 열기", terminalCut: "더 앞의 출력은 보관되지 않습니다.",
  noTerminals: "열린 터미널이 없습니다.", terminalsWait: "세션이 실행되면 터미널이 열립니다.", terminalScreen: "터미널 {name}", terminalFailed: "터미널을 열지 못했습니다.",
  terminalGone: "이 터미널은 이제 없습니다.",
  cpuOf: "CPU ({n} 중)", memoryOf: "메모리 ({n} 중)", processesOf: "프로세스 ({n}개 중)", written: "디스크 쓰기", rate: "초당 {n}",
  network: "받음", sentToo: "보냄 {n}",
  endsIn: "쓰지 않으면 끝나기까지", endsSoon: "쓰지 않는 세션이 {time} 뒤에 끝납니다.", endsShort: "{time} 뒤 끝남", noEnd: "제한 없음", minutes: "{n}분",
  seconds: "{n}초", cpuUsed: "지금까지 CPU {n}", peak: "최대 {n}", diskOf: "디스크 ({n} 중)", fileOne: "파일 1개", filesN: "파일 {n}개", diskNow: "디스크 {n}", gpuOf: "GPU, {n}", gpuMemory: "GPU 메모리 {n}", cost: "지금까지 비용", perHour: "시간당 {n}", free: "무료", lastMinutes: "최근 2분", extended: "시간을 늘렸습니다.",
  refused: "거절됨: {call} ×{n}", refusals: "정책이 거절한 것",
  refused_namespaces: "프로그램이 컨테이너처럼 자기만의 네임스페이스를 만들려고 했습니다.",
  refused_mounts: "프로그램이 파일 시스템을 마운트하거나 루트 폴더를 바꾸려고 했습니다.",
  refused_tracing: "프로그램이 디버거처럼 다른 프로그램을 추적하거나 그 메모리를 읽으려고 했습니다.",
  refused_kernel: "프로그램이 여기서는 닫혀 있는 커널 기능을 쓰려고 했습니다.",
  refused_keys: "프로그램이 커널의 키 저장소를 쓰려고 했습니다.",
  refused_sockets: "프로그램이 여기서는 닫혀 있는 종류의 네트워크 소켓을 열려고 했습니다.",
  refused_typing: "프로그램이 사용자 대신 터미널에 입력하려고 했습니다.",
  refused_runner: "프로그램이 이 세션을 돌리는 프로세스에 시그널을 보내거나 그것을 바꾸려고 했습니다.",
  refused_processes: "세션이 가질 수 있는 프로세스와 스레드 수를 다 썼습니다.",
  refused_programs: "프로그램이 이 이미지에 들어 있지 않은 실행 파일을 시작하려고 했습니다.",
  refused_clock: "프로그램이 시계를 바꾸거나 기계를 다시 시작하려고 했습니다.",
  refused_broken: "정책의 규칙이 실패했고, 판단할 수 없는 것은 거절됩니다. 운영자가 기록에서 볼 수 있습니다.",
  keySave: "파일 저장", keyRun: "파일이나 셀 실행", keyPanels: "다음 칸으로 (Shift: 이전 칸)",
  keyFiles: "파일로", keyEditor: "편집기로", keyConsole: "콘솔로", keyTerminal: "터미널로",
  keyInterrupt: "실행 중단 (글 입력 중이 아닐 때)", keyInterruptC: "콘솔에서 선택한 글이 없을 때 실행 중단",
  people: "함께 있는 사람", followPerson: "{name} 님이 {file} 파일에 있습니다. 따라가기",
  keyHelp: "이 목록", keyComplete: "자동 완성", keyInspect: "커서 자리의 설명 보기", keyHistory: "이전 코드",
  keyTabOut: "Tab으로 입력 칸을 나가려면 먼저 Esc",
};

export const LANGUAGES = ["en", "ko"] as const;
export type Language = (typeof LANGUAGES)[number];

export function languageOf(tag: string): Language {
  return tag.toLowerCase().startsWith("ko") ? "ko" : "en";
}

/** The sentence `key`, with `{name}` replaced from `values`. */
export function translate(language: Language, key: Key, values: Record<string, string | number> = {}): string {
  return fill((language === "ko" ? ko : en)[key], values);
}

/** `sentence` with `{name}` replaced from `values`. */
export function fill(sentence: string, values: Record<string, string | number>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
