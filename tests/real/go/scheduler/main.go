// Command scheduler hands what bzc wrote to Kubernetes' own code: the API server's checks on creation, the
// admission plugins LimitRanger and ResourceQuota, and kube-scheduler, all linked from k8s.io/kubernetes. Only the
// API server's storage is a fake, and the kubelet's and the workload controllers' arithmetic is repeated here.
//
//	scheduler [-orders N] DIR..
//
// For each output folder it shows that
//   - every object is one that an API server takes;
//   - the memory the kubelet of each node will offer to pods, by its config.yaml, is the one in report.json;
//   - all pods (of every Deployment those of a rollout, one wave at a time, and what K3s packages) pass admission,
//     and in N random orders at each of those moments all of them are bound;
//   - every Deployment and StatefulSet is rolled out pod by pod, wave by wave, each new pod through admission and bound
//     before the next old one goes, with the volumes that K3s makes held to the nodes where they were made;
//   - on one node, a pod of exactly the memory that report.json calls free is bound too, and one of a byte more is
//     not: so the scheduler was asked a question it can answer with no.
//
// Where report.json does not know whether every pod finds room, only the objects are looked at.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
	helpers "k8s.io/component-helpers/resource"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/profile"
	"sigs.k8s.io/yaml"
)

// report is what this program reads of report.json.
type report struct {
	Placement struct{ Kind string }
	Theorems  []struct {
		ID     string
		Counts []struct {
			ID   string
			Left int
		}
	}
	Nodes    []node
	Services []reportedService
}

type reportedService struct {
	Name       string
	PodsAtPeak int
	Hook       string // what runs of its release while Helm runs it, if it is a hook: before, rest or rollout
	Release    string
}

type node struct {
	Name             string
	Role             string
	Arch             string
	MemoryBytes      int64
	AllocatableBytes int64
	FreeBytes        int64
	CPUMilli         *int64
	MaxPods          int
	Components       []component
	Supplies         []supply
}

// supply is what a node has of a resource that is counted by its name.
type supply struct {
	Resource  string
	Has, Kept int64
}

type component struct {
	Name         string
	Origin       string
	Replicas     int
	PodsAtPeak   int
	RequestBytes int64
	CPUMilli     int64
	EveryNode    bool
}

func main() {
	orders := flag.Int("orders", 20, "random orders to try")
	flag.Parse()
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	// Several programs at once, for a scheduler mostly waits; what is said of them comes in order.
	type result struct {
		said string
		err  error
	}
	dirs := flag.Args()
	results := make([]chan result, len(dirs))
	slots := make(chan struct{}, 4*goruntime.NumCPU())
	for index, dir := range dirs {
		results[index] = make(chan result, 1)
		go func() {
			slots <- struct{}{}
			said, err := check(dir, *orders)
			<-slots
			results[index] <- result{said, err}
		}()
	}
	failed := false
	for index, dir := range dirs {
		result := <-results[index]
		if result.err == nil {
			fmt.Printf("ok   %s: %s\n", filepath.Base(dir), result.said)
			continue
		}
		failed = true
		fmt.Printf("FAIL %s\n", filepath.Base(dir))
		for _, line := range strings.Split(result.err.Error(), "\n") {
			fmt.Printf("     %s\n", line)
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(dir string, orders int) (string, error) {
	var report report
	if err := readJSON(filepath.Join(dir, "report.json"), &report); err != nil {
		return "", err
	}
	cluster := &cluster{}
	if err := cluster.read(dir); err != nil {
		return "", err
	}
	nodes, disabled, err := readNodes(dir, &report)
	if err != nil {
		return "", err
	}
	var stock []workload
	if slices.ContainsFunc(report.Nodes, func(node node) bool { return node.Role == "server" }) {
		stock = packaged(disabled, cluster, nodes)
	}
	stock = append(stock, others(&report)...)
	services := map[string]int{}
	hooks := []reportedService{{}}
	cluster.releases = map[string]reportedService{}
	for _, service := range report.Services {
		services[service.Name] = service.PodsAtPeak
		cluster.releases[service.Name] = service
		if service.Hook != "" {
			hooks = append(hooks, service)
		}
	}
	errs := slices.Clone(cluster.faults)
	moments := [][]*corev1.Pod{}
	most := 0
	for _, wave := range append([]string{""}, cluster.waves()...) {
		for _, hook := range hooks {
			pods, faults := cluster.peak(nodes, stock, services, wave, hook)
			errs = append(errs, faults...)
			moments = append(moments, pods)
			most = max(most, len(pods))
		}
	}
	errs = append(errs, promised(&report, moments[0], most)...)

	said := fmt.Sprintf("%d objects, %d nodes, %d pods at most", len(cluster.objects), len(nodes), most)
	if report.Placement.Kind == "unknown" {
		return said + ", not promised to be bound", errors.Join(errs...)
	}
	// The moment at which most is asked for comes last.
	slices.SortStableFunc(moments, func(a, b []*corev1.Pod) int { return cmp.Compare(memory(a), memory(b)) })
	for _, pods := range moments {
		for seed := range orders {
			unbound, err := schedule(nodes, cluster, pods, int64(seed))
			if err != nil {
				return "", err
			}
			if len(unbound) > 0 {
				errs = append(errs, fmt.Errorf("in order %d these stay pending: %s", seed, strings.Join(unbound, "; ")))
				break
			}
		}
	}
	said += fmt.Sprintf(", bound in %d orders at %d moments", orders, len(moments))
	rolled := 0
	for seed := range max(1, orders/10) {
		steps, err := rollouts(nodes, cluster, stock, services, disabled, int64(seed))
		if err != nil {
			errs = append(errs, fmt.Errorf("pod by pod, order %d: %w", seed, err))
			break
		}
		rolled += steps
	}
	said += fmt.Sprintf(", %d pods replaced one by one", rolled)
	worst := moments[len(moments)-1]
	if len(nodes) == 1 && len(errs) == 0 && len(worst) < report.Nodes[0].MaxPods {
		free := report.Nodes[0].FreeBytes
		last, err := schedule(nodes, cluster, append(slices.Clone(worst), filler(free)), 0)
		if err != nil {
			return "", err
		}
		if len(last) > 0 {
			errs = append(errs, fmt.Errorf("a pod of the free memory, %d bytes, stays pending: %s", free, strings.Join(last, "; ")))
		}
		over, err := schedule(nodes, cluster, append(slices.Clone(worst), filler(free+1)), 0)
		if err != nil {
			return "", err
		}
		if len(over) == 0 {
			errs = append(errs, fmt.Errorf("a pod of a byte more than the free memory, %d bytes, is bound: this check could not fail", free))
		}
		said += fmt.Sprintf("; one of %d bytes more bound, one of %d bytes more pending", free, free+1)
	}
	return said, errors.Join(errs...)
}

// promised compares the numbers of pods with those of the report.
func promised(report *report, pods []*corev1.Pod, most int) (errs []error) {
	expected := map[string]int{}
	for at, node := range report.Nodes {
		for _, component := range node.Components {
			// What moves is told of each node it may be on, and is there once.
			if component.EveryNode {
				expected[component.Name] += component.PodsAtPeak
			} else if _, known := expected[component.Name]; !known || at == 0 {
				expected[component.Name] = component.PodsAtPeak
			}
		}
	}
	for name, count := range expected {
		found := 0
		for _, pod := range pods {
			if pod.Labels[componentLabel] == name {
				found++
			}
		}
		if found != count {
			errs = append(errs, fmt.Errorf("report.json has %d pods of %s, K3s runs %d", count, name, found))
		}
	}
	told := -1
	for _, theorem := range report.Theorems {
		for _, count := range theorem.Counts {
			if theorem.ID == "T4" && count.ID == "pods" {
				told = count.Left
			}
		}
	}
	if told != most {
		errs = append(errs, fmt.Errorf("report.json has %d pods at the peak, the manifests and K3s make %d", told, most))
	}
	return errs
}

// memory is what pods request.
func memory(pods []*corev1.Pod) (bytes int64) {
	for _, pod := range pods {
		requests := helpers.PodRequests(pod, helpers.PodResourcesOptions{})
		bytes += requests.Memory().Value()
	}
	return bytes
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// readNodes makes the Node objects, with what the kubelet would offer by its config.yaml, and tells which packaged
// components K3s is told to leave out.
func readNodes(dir string, report *report) ([]*corev1.Node, []string, error) {
	var nodes []*corev1.Node
	var disabled []string
	for _, declared := range report.Nodes {
		text, err := os.ReadFile(filepath.Join(dir, "k3s", declared.Name, "config.yaml"))
		if err != nil {
			return nil, nil, err
		}
		var config struct {
			Disable    []string `json:"disable"`
			KubeletArg []string `json:"kubelet-arg"`
			NodeName   string   `json:"node-name"`
			NodeLabel  []string `json:"node-label"`
			NodeTaint  []string `json:"node-taint"`
		}
		if err := yaml.Unmarshal(text, &config); err != nil {
			return nil, nil, err
		}
		disabled = append(disabled, config.Disable...)
		offered, maxPods := declared.MemoryBytes, int64(110)
		for _, arg := range config.KubeletArg {
			name, value, _ := strings.Cut(arg, "=")
			switch name {
			case "kube-reserved", "system-reserved", "eviction-hard":
				for _, part := range strings.Split(value, ",") {
					what, quantity, _ := strings.Cut(strings.Replace(part, "<", "=", 1), "=")
					if what != "memory" && what != "memory.available" {
						continue
					}
					taken, err := resource.ParseQuantity(quantity)
					if err != nil {
						return nil, nil, fmt.Errorf("%s: %q: %w", name, quantity, err)
					}
					if name == "eviction-hard" && taken.Sign() <= 0 {
						return nil, nil, fmt.Errorf("the kubelet does not start with an eviction threshold of %s", quantity)
					}
					offered -= taken.Value()
				}
			case "max-pods":
				if maxPods, err = strconv.ParseInt(value, 10, 64); err != nil {
					return nil, nil, err
				}
			}
		}
		if offered != declared.AllocatableBytes {
			return nil, nil, fmt.Errorf("node %s: the kubelet will offer %d bytes to pods, report.json says %d", declared.Name, offered, declared.AllocatableBytes)
		}
		cpu := int64(1_000_000) // CPU that the program does not give is not the question
		if declared.CPUMilli != nil {
			cpu = *declared.CPUMilli
		}
		resources := corev1.ResourceList{
			corev1.ResourceMemory: *resource.NewQuantity(offered, resource.BinarySI),
			corev1.ResourceCPU:    *resource.NewMilliQuantity(cpu, resource.DecimalSI),
			corev1.ResourcePods:   *resource.NewQuantity(maxPods, resource.DecimalSI),
		}
		for _, supply := range declared.Supplies {
			resources[corev1.ResourceName(supply.Resource)] = *resource.NewQuantity(supply.Has-supply.Kept, resource.DecimalSI)
		}
		// Without a name of its own it has that of its host, which nobody knows.
		name := cmp.Or(config.NodeName, "host-of-"+declared.Name)
		made := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
				"kubernetes.io/hostname": name,
				"kubernetes.io/os":       "linux",
			}},
			Status: corev1.NodeStatus{Capacity: resources, Allocatable: resources},
		}
		if declared.Arch != "" {
			made.Labels["kubernetes.io/arch"] = declared.Arch
			made.Labels["beta.kubernetes.io/arch"] = declared.Arch
		}
		for _, label := range config.NodeLabel {
			key, value, _ := strings.Cut(label, "=")
			made.Labels[key] = value
		}
		for _, text := range config.NodeTaint {
			pair, effect, _ := strings.Cut(text, ":")
			key, value, _ := strings.Cut(pair, "=")
			made.Spec.Taints = append(made.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)})
		}
		nodes = append(nodes, made)
	}
	return nodes, disabled, nil
}

// claims are the claims that the pods name, with their volumes: to bzc they are there. Those that are held by a node are
// folders of that.
func claims(pods []*corev1.Pod, held map[string]string) (objects []runtime.Object) {
	known := map[string]bool{}
	for _, pod := range pods {
		for _, volume := range pod.Spec.Volumes {
			if volume.PersistentVolumeClaim == nil {
				continue
			}
			name := volume.PersistentVolumeClaim.ClaimName
			id := pod.Namespace + "-" + name
			if known[id] {
				continue
			}
			known[id] = true
			claim := &corev1.PersistentVolumeClaim{
				ObjectMeta: metav1.ObjectMeta{
					Name: name, Namespace: pod.Namespace, UID: types.UID(id),
					Annotations: map[string]string{"pv.kubernetes.io/bind-completed": "yes"},
				},
				Spec:   corev1.PersistentVolumeClaimSpec{VolumeName: id},
				Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound},
			}
			bound := &corev1.PersistentVolume{
				ObjectMeta: metav1.ObjectMeta{Name: id},
				Spec: corev1.PersistentVolumeSpec{ClaimRef: &corev1.ObjectReference{
					Kind: "PersistentVolumeClaim", Namespace: pod.Namespace, Name: name, UID: types.UID(id),
				}},
				Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeBound},
			}
			if node := held[id]; node != "" {
				bound.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
					NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{
						Key: "kubernetes.io/hostname", Operator: corev1.NodeSelectorOpIn, Values: []string{node},
					}}}},
				}}
			}
			objects = append(objects, claim, bound)
		}
	}
	return objects
}

// filler is a pod of so much memory.
func filler(bytes int64) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "one-more", Namespace: "default", UID: "one-more"},
		Spec: corev1.PodSpec{
			SchedulerName: corev1.DefaultSchedulerName,
			Containers: []corev1.Container{{
				Name: "memory",
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
					corev1.ResourceMemory: *resource.NewQuantity(bytes, resource.BinarySI),
				}},
			}},
		},
	}
}

// run is kube-scheduler with its default profile, at work on a cluster.
type run struct {
	ctx    context.Context
	client *fake.Clientset
	// pods are those that are there or come again when they are removed.
	pods map[types.UID]*corev1.Pod
	// removed are those that the scheduler deleted to make room.
	removed []string
}

// start lets kube-scheduler run beside nodes, with the claims of these pods: of those that are held, the volume is on
// one node.
func start(ctx context.Context, nodes []*corev1.Node, cluster *cluster, pods []*corev1.Pod, held map[string]string) (*run, error) {
	var objects []runtime.Object
	for _, node := range nodes {
		objects = append(objects, node.DeepCopy())
	}
	for _, class := range cluster.priorityClasses {
		objects = append(objects, class.DeepCopy())
	}
	objects = append(objects, claims(pods, held)...)
	client := fake.NewSimpleClientset(objects...)
	client.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		if action.GetSubresource() != "binding" {
			return false, nil, nil
		}
		binding := action.(clienttesting.CreateAction).GetObject().(*corev1.Binding)
		found, err := client.Tracker().Get(action.GetResource(), action.GetNamespace(), binding.Name)
		if err != nil {
			return true, nil, err
		}
		pod := found.(*corev1.Pod).DeepCopy()
		pod.Spec.NodeName = binding.Target.Name
		return true, binding, client.Tracker().Update(action.GetResource(), pod, action.GetNamespace())
	})

	informers := scheduler.NewInformerFactory(client, 0)
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
	sched, err := scheduler.New(ctx, client, informers, nil, profile.NewRecorderFactory(broadcaster))
	if err != nil {
		return nil, err
	}
	informers.Start(ctx.Done())
	informers.WaitForCacheSync(ctx.Done())
	if err := sched.WaitForHandlersSync(ctx); err != nil {
		return nil, err
	}
	go sched.Run(ctx)
	return &run{ctx: ctx, client: client, pods: map[types.UID]*corev1.Pod{}}, nil
}

func (r *run) create(pod *corev1.Pod) error {
	r.pods[pod.UID] = pod
	_, err := r.client.CoreV1().Pods(pod.Namespace).Create(r.ctx, pod.DeepCopy(), metav1.CreateOptions{})
	return err
}

func (r *run) delete(pod *corev1.Pod) error {
	delete(r.pods, pod.UID)
	return r.client.CoreV1().Pods(pod.Namespace).Delete(r.ctx, pod.Name, metav1.DeleteOptions{})
}

// places are the nodes of all pods.
func (r *run) places() (map[types.UID]string, error) {
	listed, err := r.client.CoreV1().Pods(metav1.NamespaceAll).List(r.ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	found := map[types.UID]string{}
	for _, pod := range listed.Items {
		found[pod.UID] = pod.Spec.NodeName
	}
	return found, nil
}

// schedule hands all pods to kube-scheduler in a random order, and tells which of them it leaves pending, and why.
func schedule(nodes []*corev1.Node, cluster *cluster, pods []*corev1.Pod, seed int64) ([]string, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	r, err := start(ctx, nodes, cluster, pods, nil)
	if err != nil {
		return nil, err
	}
	for _, index := range rand.New(rand.NewSource(seed)).Perm(len(pods)) {
		if err := r.create(pods[index]); err != nil {
			return nil, err
		}
	}
	return r.settle()
}

// settle waits until every pod is bound, and tells which of them stay pending, and why. Those that the scheduler removes
// to make room come again.
func (r *run) settle() ([]string, error) {
	deadline := time.Now().Add(60 * time.Second)
	var stuckSince time.Time
	for {
		listed, err := r.client.CoreV1().Pods(metav1.NamespaceAll).List(r.ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		var pending []string
		undecided := 0
		gone := map[types.UID]*corev1.Pod{}
		maps.Copy(gone, r.pods)
		for _, pod := range listed.Items {
			delete(gone, pod.UID)
			if pod.Spec.NodeName != "" {
				continue
			}
			condition := slices.IndexFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
				return condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse
			})
			// One for which others were removed is bound soon.
			if condition < 0 || pod.Status.NominatedNodeName != "" {
				undecided++
				continue
			}
			pending = append(pending, pod.Name+": "+pod.Status.Conditions[condition].Message)
		}
		// A pod that was removed for one with a higher priority comes again, as its controller would make it.
		for _, pod := range gone {
			undecided++
			r.removed = append(r.removed, pod.Name)
			if err := r.create(pod); err != nil {
				return nil, err
			}
		}
		if undecided == 0 && len(pending) == 0 {
			return nil, nil
		}
		// What is pending for so long, with nothing else going on, stays so.
		if undecided > 0 || stuckSince.IsZero() {
			stuckSince = time.Now()
		}
		if time.Since(stuckSince) > time.Second {
			sort.Strings(pending)
			return pending, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("kube-scheduler did not decide about %d of %d pods within a minute", undecided, len(r.pods))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// reason is the short form of why an API server refuses an object.
func reason(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Message
	}
	return err.Error()
}
