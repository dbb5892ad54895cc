/** The sentences of the ports: their list, their previews, who may see them. */

export const portsEn = {
  ports: "Ports", preview: "Preview", previewOf: "Preview of port {port}", portN: "Port {port}", portOpened: "Port {port} is open", dismiss: "Dismiss",
  reload: "Reload", previewPath: "Path in the preview", newTab: "Open in a new browser tab", copyAddress: "Copy the address", addressCopied: "Copied.",
  portQuiet: "Nothing listens on port {port} yet.", portQuietHint: "Start a server in a terminal. It shows here by itself as soon as it listens.",
  portEnded: "What listened on port {port} has ended.", portEndedHint: "Start it again, and it shows here by itself.",
  previewPaused: "The session is paused.", previewPausedHint: "Resume it, and the preview goes on.",
  previewOver: "There is no session that runs.", previewOverHint: "A port is there while its session runs.",
  previewAsked: "Waiting for an answer from port {port} …", notShared: "Port {port} is not shared with you.", notSharedHint: "The owner of the project can share it with viewers.",
  // who may see it
  whoSees: "Who may see port {port}", audiencePrivate: "private", audienceProject: "project", audiencePublic: "public",
  seenByPrivate: "Private", seenByPrivateHint: "You, and who else works in this session.", seenByProject: "Project", seenByProjectHint: "Everybody in the project, viewers too.",
  seenByPublic: "Public, for a time", seenByPublicHint: "Whoever has the address, without signing in. It ends by itself.", noPublic: "This site opens no ports to everybody.",
  publicFor: "For how long", publicUntil: "Public until {time}, {left} left", publicLeft: "public, {left} left", endNow: "Make it private now", shareNow: "Share", ownerShares: "Showing a port to others is for the project's owner.",
  hours: "{n} h", hour: "{n} h", hoursMinutes: "{h} h {n} min",
};

export const portsKo: Record<keyof typeof portsEn, string> = {
  ports: "포트", preview: "미리 보기", previewOf: "포트 {port} 미리 보기", portN: "포트 {port}", portOpened: "포트 {port} 열림", dismiss: "닫기",
  reload: "새로 고침", previewPath: "미리 보기 안의 경로", newTab: "새 브라우저 탭에서 열기", copyAddress: "주소 복사", addressCopied: "복사했습니다.",
  portQuiet: "포트 {port}에서 아직 아무 프로그램도 기다리지 않습니다.", portQuietHint: "터미널에서 서버를 시작하세요. 준비되면 여기에 저절로 나타납니다.",
  portEnded: "포트 {port}의 프로그램이 끝났습니다.", portEndedHint: "다시 시작하면 여기에 저절로 나타납니다.",
  previewPaused: "세션이 멈춰 있습니다.", previewPausedHint: "이어서 하면 미리 보기도 이어집니다.",
  previewOver: "실행 중인 세션이 없습니다.", previewOverHint: "포트는 세션이 실행되는 동안에만 있습니다.",
  previewAsked: "포트 {port}의 응답을 기다리는 중 …", notShared: "공유되지 않은 포트입니다: {port}", notSharedHint: "프로젝트 소유자가 보기 권한 사용자에게 공유할 수 있습니다.",
  whoSees: "포트 {port} 공개 범위", audiencePrivate: "비공개", audienceProject: "프로젝트", audiencePublic: "전체 공개",
  seenByPrivate: "비공개", seenByPrivateHint: "나와 이 세션에서 함께 작업하는 사람만 봅니다.", seenByProject: "프로젝트", seenByProjectHint: "보기 권한까지 포함해 프로젝트의 모두가 봅니다.",
  seenByPublic: "잠시 전체 공개", seenByPublicHint: "주소를 아는 누구나 로그인 없이 봅니다. 시간이 지나면 저절로 끝납니다.", noPublic: "이 사이트에서는 포트를 전체 공개할 수 없습니다.",
  publicFor: "공개할 시간", publicUntil: "{time}까지 전체 공개, {left} 남음", publicLeft: "전체 공개, {left} 남음", endNow: "지금 비공개로", shareNow: "공유", ownerShares: "다른 사람에게 포트를 보여 주는 것은 프로젝트 소유자만 할 수 있습니다.",
  hours: "{n}시간", hour: "{n}시간", hoursMinutes: "{h}시간 {n}분",
};
