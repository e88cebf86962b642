"""Trials of the trace cache with more than one machine, and with file systems that fail.

``python -m cache_trials.machines NAME [COUNT] [planted]`` runs one as `cache_trials` does, and
`scripts/check --machines` all. They need root and programs that are not Python's: what is missing
is said, and the exit status is 3. On Debian 12 all of it is

    apt-get install --no-install-recommends slurm-wlm munge iproute2 fuse3 libfuse3-3 \
        qemu-system-x86 busybox-static kmod cpio e2fsprogs nfs-kernel-server rpcbind
    pip install mfusepy

and, for the virtual machines, a kernel of Debian's unpacked (not installed) into a folder that
`CACHE_TRIALS_KERNEL` names:

    apt-get download linux-image-6.1.0-56-amd64 && dpkg -x linux-image-*.deb FOLDER
"""
