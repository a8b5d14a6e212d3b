"""Makes the cgroups of a kubelet from what bzc wrote, and fills them: see ../kubelet.

    cgroups.py PARENT FILL FOLDER OUTPUT..

PARENT is an empty memory cgroup, FILL the program that fills, FOLDER a place on a disk for a file."""
import glob
import json
import os
import subprocess
import sys
import time

import yaml

MIB = 1 << 20
# What a container is left below its limit: the kernel charges in batches, and the pause process of its pod is charged
# to the limit of the pod, which is no more than those of its containers.
MARGIN = 3 * MIB // 2
UNITS = {'Ki': 1 << 10, 'Mi': 1 << 20, 'Gi': 1 << 30, 'k': 1000, 'M': 10**6, 'G': 10**9}


def amount(text):
    text = str(text)
    for unit, size in UNITS.items():
        if text.endswith(unit):
            return int(float(text[:-len(unit)]) * size)
    return int(float(text))


class Group:
    """A memory cgroup, v1 or v2."""

    def __init__(self, path, limit=None):
        self.path = path
        os.makedirs(path, exist_ok=True)
        self.v2 = os.path.exists(path + '/cgroup.controllers')
        if limit is not None:
            names = ['memory.max'] if self.v2 else ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes']
            for name in names:
                if os.path.exists(f'{path}/{name}'):
                    self.write(name, limit)
            if self.v2 and os.path.exists(path + '/memory.swap.max'):
                self.write('memory.swap.max', 0)

    def write(self, name, value):
        with open(f'{self.path}/{name}', 'w') as file:
            file.write(str(value))

    def read(self, name):
        with open(f'{self.path}/{name}') as file:
            return file.read()

    def fields(self, name):
        pairs = (line.split() for line in self.read(name).splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}

    def child(self, name, limit=None):
        if self.v2:
            self.write('cgroup.subtree_control', '+memory')
        return Group(f'{self.path}/{name}', limit)

    @property
    def usage_file(self):
        return self.path + ('/memory.current' if self.v2 else '/memory.usage_in_bytes')

    def usage(self):
        with open(self.usage_file) as file:
            return int(file.read())

    def kills(self):
        if not self.v2:
            return self.fields('memory.oom_control').get('oom_kill', 0)
        local = 'memory.events.local'
        return self.fields(local if os.path.exists(f'{self.path}/{local}') else 'memory.events').get('oom_kill', 0)

    def cache(self):
        stat = self.fields('memory.stat')
        return stat['file'] if self.v2 else stat.get('total_cache', stat.get('cache', 0))

    def working_set(self):
        """As the kubelet counts it: without the file pages that nobody used lately."""
        stat = self.fields('memory.stat')
        return self.usage() - stat.get('total_inactive_file', stat.get('inactive_file', 0))

    def start(self, command):
        # The shell joins first, so that every page of the program is charged here.
        line = f'echo $$ > {self.path}/cgroup.procs && exec "$@"'
        return subprocess.Popen(['sh', '-c', line, 'sh', *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def documents(pattern):
    for path in sorted(glob.glob(pattern, recursive=True)):
        if path.endswith('.yaml') and not path.endswith('kustomization.yaml'):
            with open(path) as file:
                yield from (document for document in yaml.safe_load_all(file) if document)


def pods(out, server, disabled, skipped):
    """The containers of every pod at rest: name of the pod, limits of its containers."""
    objects = [*documents(f'{out}/k3s/{server}/manifests/*'), *documents(f'{out}/manifests/*'), *documents(f'{out}/adopted/**/*')]
    given = next((amount(item['default']['memory']) for one in objects if one['kind'] == 'LimitRange'
                  and one['metadata']['namespace'] == 'kube-system' for item in one['spec']['limits']), None)
    scaled = {one['spec']['scaleTargetRef']['name']: one['spec']['maxReplicas'] for one in objects
              if one['kind'] == 'HorizontalPodAutoscaler'}
    for one in objects:
        spec = one.get('spec') or {}
        count = spec.get('replicas', 1)
        if one['kind'] in ('Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'):
            pod = spec['template']['spec']
            count = 1 if one['kind'] == 'DaemonSet' else scaled.get(one['metadata']['name'], count)
        elif one['kind'] == 'Job':
            pod, count = spec['template']['spec'], spec.get('parallelism', 1)
        elif one['kind'] == 'CronJob':
            job = spec['jobTemplate']['spec']
            pod, count = job['template']['spec'], job.get('parallelism', 1)
        else:
            continue
        stay = [init for init in pod.get('initContainers', []) if init.get('restartPolicy') == 'Always']
        limits = [container.get('resources', {}).get('limits', {}).get('memory') for container in [*pod['containers'], *stay]]
        for index in range(count):
            yield f"{one['metadata']['name']}-{index}", [amount(limit) if limit else None for limit in limits]
    for name, switch in [('coredns', 'coredns'), ('local-path-provisioner', 'local-storage'), ('metrics-server', 'metrics-server')]:
        if switch not in disabled and switch not in skipped:
            yield name, [170 * MIB if name == 'coredns' else given]


def tell(process, line):
    process.stdin.write(line + '\n')
    process.stdin.flush()


def answers(process):
    return process.stdout.readline().strip() == 'done'


def reads_cold(reader, running, path):
    """Lets one container read a file whose pages are nowhere in memory. What is wrong with who is charged for them."""
    name, process, group, limit = reader
    size = min(limit // 2, 24 * MIB) // MIB * MIB
    with open(path, 'wb') as file:
        file.write(os.urandom(MIB) * (size // MIB))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    others = [one[2] for one in running if one[2] is not group]
    before, strangers = group.cache(), sum(other.cache() for other in others)
    tell(process, f'read {path}')
    if not answers(process):
        return f'{name} was killed for reading a file'
    charged, strangers = group.cache() - before, sum(other.cache() for other in others) - strangers
    if charged < size * 3 // 4 or strangers > MIB:
        return f'of {size} bytes that {name} reads cold {charged} are charged to it and {strangers} to others'
    return None


def check(parent, fill, folder, out):
    with open(f'{out}/report.json') as file:
        report = json.load(file)
    proved = {theorem['node'] for theorem in report['theorems'] if theorem['id'] == 'T2' and theorem['verdict'] == 'proved'}
    if len(report['nodes']) != 1 or report['nodes'][0]['name'] not in proved:
        return None
    node = report['nodes'][0]
    with open(f"{out}/k3s/{node['name']}/config.yaml") as file:
        config = yaml.safe_load(file) or {}
    arguments = dict(one.split('=', 1) for one in config.get('kubelet-arg', []))
    reserved = sum(amount(part.split('=')[1]) for key in ('kube-reserved', 'system-reserved')
                   for part in arguments.get(key, '').split(',') if part.startswith('memory='))
    threshold = next(amount(part.split('<')[1]) for part in arguments['eviction-hard'].split(',') if part.startswith('memory.available<'))
    most = node['memoryBytes'] - reserved
    skipped = [os.path.basename(path)[:-len('.yaml.skip')] for path in glob.glob(f'{out}/k3s/*/manifests/*.yaml.skip')]
    all_pods = list(pods(out, node['name'], config.get('disable') or [], skipped))
    if any(limit is None for _, limits in all_pods for limit in limits):
        return f'a container has no limit, and yet non-interference is proved: {all_pods}'
    together = sum(limit for _, limits in all_pods for limit in limits)
    with open('/proc/meminfo') as file:
        free = next(int(line.split()[1]) * 1024 for line in file if line.startswith('MemAvailable'))
    if together > free // 2:
        return None

    kubepods = parent.child('kubepods', most)
    groups, running, children = [], [], []
    try:
        for name, limits in all_pods:
            pod = kubepods.child(name, sum(limits))
            for index, limit in enumerate(limits):
                group = pod.child(f'c{index}', limit)
                groups.append(group)
                running.append((f'{name}/{index}', group.start([fill, group.usage_file]), group, limit))
            pause = pod.child('pause')
            children.append(pause.start(['sleep', '300']))
            groups += [pod, pause]
        # Its file cold: what the largest runs from is charged to it, and to nobody else.
        largest = max(running, key=lambda one: one[3])
        fault = reads_cold(largest, running, f'{folder}/file')
        if fault:
            return fault
        for _, process, _, limit in running:
            tell(process, f'fill {max(limit - MARGIN, MIB)}')
        for name, process, _, _ in running:
            if not answers(process):
                return f'{name} was killed before it was full'
        time.sleep(0.3)
        dead = [name for name, process, _, _ in running if process.poll() is not None]
        kills = sum(group.kills() for group in [kubepods, *groups])
        if dead or kills:
            return f'{kills} kills with every container at its limit: {dead}'
        used = kubepods.working_set()
        if used > most - threshold:
            return f'all pods together use {used}, and the kubelet evicts above {most - threshold}'

        # One goes over its limit.
        name, process, _, _ = largest
        tell(process, 'more 64')
        if answers(process) or process.wait(20) == 0:
            return f'{name} went over its limit and lives'
        dead = [other for other, process, _, _ in running if process.poll() is not None]
        if dead != [name]:
            return f'{name} went over its limit, and these were killed: {dead}'
        said = f'{len(all_pods)} pods at {together // MIB}Mi of {most // MIB}Mi; only {name} killed'
        print(f'ok   {os.path.basename(out)}: {said}')
        return ''
    finally:
        for process in [*children, *(process for _, process, _, _ in running)]:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        for path, _, _ in os.walk(kubepods.path, topdown=False):
            for _ in range(50):
                try:
                    os.rmdir(path)
                    break
                except OSError:
                    time.sleep(0.05)


def main():
    parent, fill, folder, *outputs = sys.argv[1:]
    failed, tried = False, 0
    for out in outputs:
        fault = check(Group(parent), fill, folder, out)
        if fault:
            print(f'FAIL {os.path.basename(out)}: {fault}')
            failed = True
        tried += fault is not None
    if failed or tried < 3:
        print(f'{tried} outputs tried')
        sys.exit(1)
    print(f'ok: {tried} programs on cgroups v{2 if Group(parent).v2 else 1}')


main()
