"""The default policy: what programs, interpreters, compilers, editors and shells need, and no door out.

Refused with an error: new namespaces, mounts, tracing, other processes' memory, keyrings, BPF, perf,
io_uring, userfaultfd, kernel modules, clocks, raw and exotic sockets, typing into a terminal (TIOCSTI).
"""

from __future__ import annotations

import errno
import socket

from sandbox.policy import Policy, Rule

_NAMESPACES = 0x7E020080  # CLONE_NEW{CGROUP,UTS,IPC,USER,PID,NET,NS} and CLONE_NEWTIME
_CLONE_NEWTIME = 0x80
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
_NETLINK_ROUTE = 0

_FILES = """access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock
fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch
inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek
lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev
pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr splice
stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat
utimes vmsplice write writev"""
_MEMORY = """brk get_mempolicy madvise mbind membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap
msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect set_mempolicy map_shadow_stack mseal"""
_PROCESSES = """arch_prctl capget execve execveat exit exit_group fork getegid geteuid getgid getgroups getpgid getpgrp
getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid kill pidfd_open
pidfd_send_signal prlimit64 restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity
sched_setattr sched_setparam sched_setscheduler sched_yield set_robust_list get_robust_list set_tid_address setfsgid
setfsuid setgid setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid
sigaltstack tgkill time times tkill uname vfork wait4 waitid prctl getcpu sysinfo alarm pause capset ioprio_get
ioprio_set process_madvise"""
_TIME = """clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer timer_create
timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime"""
_WAITING = """epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2
futex futex_waitv futex_wait futex_wake futex_requeue io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit
pipe pipe2 poll ppoll pselect6 select signalfd signalfd4 getrandom"""
_SOCKETS = """accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg
sendmsg sendto setsockopt shutdown"""
_IPC = """mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl
semget semop semtimedop shmat shmctl shmdt shmget landlock_create_ruleset landlock_add_rule landlock_restrict_self
seccomp"""
_REFUSED = """acct add_key bpf chroot clock_adjtime clock_settime delete_module fanotify_init fanotify_mark finit_module
fsconfig fsmount fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup kcmp kexec_file_load
kexec_load keyctl lookup_dcookie mount mount_setattr move_mount move_pages name_to_handle_at nfsservctl
open_by_handle_at open_tree perf_event_open personality pidfd_getfd pivot_root process_vm_readv process_vm_writev
ptrace quotactl quotactl_fd reboot request_key setdomainname sethostname setns settimeofday swapoff swapon syslog
umount2 unshare userfaultfd vhangup"""

POLICY = Policy(
    name="default",
    allowed=frozenset(" ".join((_FILES, _MEMORY, _PROCESSES, _TIME, _WAITING, _SOCKETS, _IPC)).split()),
    refused=dict.fromkeys(_REFUSED.split(), errno.EPERM),
    rules={
        # clone3 hides its flags in memory: it is not known, and the C library falls back to clone.
        "clone": (Rule(0, _NAMESPACES & ~_CLONE_NEWTIME, (), False, errno.EPERM),),
        "ioctl": (Rule(1, 0xFFFFFFFF, (_TIOCSTI, _TIOCLINUX), True, errno.EPERM),),
        "socket": (Rule(0, 0xFFFFFFFF, (*_FAMILIES, socket.AF_NETLINK), False, errno.EAFNOSUPPORT),),
        "socketpair": (Rule(0, 0xFFFFFFFF, (socket.AF_UNIX,), False, errno.EAFNOSUPPORT),),
    },
)
