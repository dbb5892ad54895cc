/** The sentences of what is below the editor: running, problems, git. */

export const toolsEn = {
  tools: "Below the editor", output: "Output", problems: "Problems", noProblems: "No problems were found in the open files.", problemAt: "{message}, line {line} of {name}",
  runInPlace: "Run {name} here", runHint: "Run a file with F5: what it prints and asks is here.", runAgainHere: "Run again", programEnds: "Ended: {why}", programRuns: "Running", programDone: "Done",
  outputOf: "Output of {name}", exitStatus: "exit status {n}", cannotRun: "This image cannot run “{name}”.", endProgram: "End", largerTools: "Larger", smallerTools: "Smaller", hideTools: "Hide",
  serverStarting: "{language}: starting", serverReady: "{language}", serverAway: "{language}: away", serverWhy: "The language server of {language} does not answer: {why}",
  renameSymbol: "New name", formatFailed: "The file could not be laid out", formatFile: "Format the file",
  git: "Git", gitWaits: "Git works while the session runs.", gitNone: "This project is not a repository yet.", gitNoneHint: "Git keeps every state that you commit, and you can go back to any.", gitInit: "Make it a repository",
  gitChanges: "Changes", gitStaged: "Staged", gitStage: "Stage", gitUnstage: "Unstage", gitStageAll: "Stage all", gitUnstageAll: "Unstage all", gitDiscard: "Discard changes",
  gitDiscardSure: "Discard the changes of “{name}”? They cannot be brought back.", gitMessage: "Message of the commit", gitCommit: "Commit", gitClean: "Nothing has changed since the last commit.",
  gitLog: "Commits", gitNoCommits: "There are no commits yet.", gitChoose: "Choose a file to see what changed in it.", gitNoText: "This file is not text, or it is too large to compare.", gitCompared: "Changes of {name}",
  gitWho: "Git writes into each commit who made it:", gitName: "Name", gitEmail: "Email",
  keyRunHere: "Run the file below the editor", keyFormat: "Format the file", keyDefinition: "Go to the definition (or Ctrl+click)", keyReferences: "Find where it is used", keyRename: "Rename in all files", keySignature: "Explain the call at the cursor",
};

export const toolsKo: Record<keyof typeof toolsEn, string> = {
  tools: "편집기 아래", output: "출력", problems: "문제", noProblems: "열린 파일에서 찾은 문제가 없습니다.", problemAt: "{message}, {name} {line}행",
  runInPlace: "{name} 여기서 실행", runHint: "F5로 파일을 실행하면 출력과 입력이 여기에 나옵니다.", runAgainHere: "다시 실행", programEnds: "끝남: {why}", programRuns: "실행 중", programDone: "끝남",
  outputOf: "{name} 출력", exitStatus: "종료 코드 {n}", cannotRun: "이 이미지는 ‘{name}’ 파일을 실행하지 못합니다.", endProgram: "끝내기", largerTools: "크게", smallerTools: "작게", hideTools: "숨기기",
  serverStarting: "{language}: 시작하는 중", serverReady: "{language}", serverAway: "{language}: 연결 안 됨", serverWhy: "{language} 언어 서버가 답하지 않습니다: {why}",
  renameSymbol: "새 이름", formatFailed: "파일을 정돈하지 못했습니다", formatFile: "파일 정돈",
  git: "Git", gitWaits: "세션이 실행되는 동안 Git을 쓸 수 있습니다.", gitNone: "아직 저장소가 아닌 프로젝트입니다.", gitNoneHint: "Git은 커밋한 상태를 모두 간직하고, 언제든 돌아갈 수 있게 합니다.", gitInit: "저장소로 만들기",
  gitChanges: "바뀐 것", gitStaged: "커밋할 것", gitStage: "커밋에 넣기", gitUnstage: "커밋에서 빼기", gitStageAll: "모두 넣기", gitUnstageAll: "모두 빼기", gitDiscard: "바뀐 것 버리기",
  gitDiscardSure: "‘{name}’에서 바뀐 것을 버릴까요? 되살릴 수 없습니다.", gitMessage: "커밋 메시지", gitCommit: "커밋", gitClean: "마지막 커밋 뒤로 바뀐 것이 없습니다.",
  gitLog: "커밋 기록", gitNoCommits: "아직 커밋이 없습니다.", gitChoose: "파일을 고르면 바뀐 곳을 보여 줍니다.", gitNoText: "글자로 된 파일이 아니거나 너무 커서 비교할 수 없습니다.", gitCompared: "{name}에서 바뀐 것",
  gitWho: "Git은 누가 만든 커밋인지 함께 적습니다:", gitName: "이름", gitEmail: "이메일",
  keyRunHere: "파일을 편집기 아래에서 실행", keyFormat: "파일 정돈", keyDefinition: "정의로 가기 (또는 Ctrl+클릭)", keyReferences: "쓰인 곳 찾기", keyRename: "모든 파일에서 이름 바꾸기", keySignature: "커서 자리의 호출 설명",
};
