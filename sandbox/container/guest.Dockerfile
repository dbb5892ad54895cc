# The container of an image that was added: its own files, and beside them the Python of the runner, with its loader.
# Its modules are compiled so that their times do not matter, which do not survive being copied.
FROM madang/python AS host
RUN mkdir -p /guest/bin /guest/lib \
 && cp -L /usr/bin/python3 /guest/bin/python \
 && cp -a /usr/lib/"$(uname -m)"-linux-gnu/*.so* /guest/lib/ \
 && cp -L /lib*/ld-linux-*.so.? /guest/lib/loader \
 && cp -r /usr/lib/python3.* /guest/lib/ \
 && cp -r /opt/image/lib/python3.*/site-packages /guest/packages \
 && cp -r /opt/image/matplotlib /guest/matplotlib \
 && find /guest -name __pycache__ -prune -exec rm -r {} + \
 && /opt/image/bin/python -m compileall -q --invalidation-mode unchecked-hash /guest/lib /guest/packages

FROM scratch
COPY root /
COPY --from=host /guest /usr/lib/madang
# Places that a sandbox is furnished with: the root is read-only by then.
COPY --from=host /home/work /home/work
COPY --from=host /datasets /datasets
COPY --from=host /etc/madang /etc/madang
COPY --from=host /run/madang /run/madang
COPY --from=host /mnt /mnt
COPY --from=host /etc/passwd /etc/group /etc/nsswitch.conf /etc/
