package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	api "k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/controller/daemon"
	daemonutil "k8s.io/kubernetes/pkg/controller/daemon/util"
	"k8s.io/kubernetes/plugin/pkg/admission/limitranger"

	"sigs.k8s.io/yaml"

	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"

	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/limitrange"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/resourcequota"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrole"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrolebinding"
	"k8s.io/kubernetes/pkg/registry/scheduling/priorityclass"
)

// strategies are what the API server does with a new object of each kind. A kind that bzc begins to write has to be
// added here, and to `peak` if it makes pods.
var strategies = map[string]rest.RESTCreateStrategy{
	"ClusterRole":             clusterrole.Strategy,
	"ClusterRoleBinding":      clusterrolebinding.Strategy,
	"ConfigMap":               configmap.Strategy,
	"CronJob":                 cronjob.Strategy,
	"DaemonSet":               daemonset.Strategy,
	"Deployment":              deployment.Strategy,
	"HorizontalPodAutoscaler": horizontalpodautoscaler.Strategy,
	"Ingress":                 ingress.Strategy,
	"Job":                     job.Strategy,
	"LimitRange":              limitrange.Strategy,
	"Namespace":               namespace.Strategy,
	"PersistentVolumeClaim":   persistentvolumeclaim.Strategy,
	"PriorityClass":           priorityclass.Strategy,
	"ResourceQuota":           resourcequota.Strategy,
	"Service":                 service.Strategy,
	"ServiceAccount":          serviceaccount.Strategy,
	"StatefulSet":             statefulset.Strategy,
}

var strict = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// cluster is what the API server holds after everything that bzc wrote was applied.
type cluster struct {
	// objects have their defaults, as clients see them.
	objects         []runtime.Object
	skipped         []string // base names of K3s's own manifests that K3s is told to skip
	limitRanges     []*corev1.LimitRange
	quotas          []*corev1.ResourceQuota
	priorityClasses []*schedulingv1.PriorityClass
	charts          map[string]chartValues // of what K3s installs by Helm, what a HelmChartConfig says
	faults          []error
	releases        map[string]reportedService // of each service of report.json, its hook and its release
}

func (c *cluster) read(dir string) error {
	for _, pattern := range []string{"k3s/*/manifests/*", "manifests/*.yaml"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, path := range paths {
			name := filepath.Base(path)
			// Each server has the same files, of which K3s applies those of one.
			if seen[name] {
				continue
			}
			seen[name] = true
			switch {
			case strings.HasSuffix(name, ".yaml.skip"):
				c.skipped = append(c.skipped, strings.TrimSuffix(name, ".yaml.skip"))
			case name != "kustomization.yaml":
				if err := c.readFile(path); err != nil {
					return err
				}
			}
		}
	}
	return c.readAdopted(dir)
}

// readAdopted reads manifests of others, as bzc patched them: what they make is counted, how they are written is not
// judged, and what Kubernetes itself does not know is passed over.
func (c *cluster) readAdopted(dir string) error {
	lenient := legacyscheme.Codecs.UniversalDeserializer()
	var add func(document []byte) error
	add = func(document []byte) error {
		object, _, err := lenient.Decode(document, nil, nil)
		if err != nil {
			if runtime.IsNotRegisteredError(err) || len(bytes.TrimSpace(document)) == 0 || runtime.IsMissingKind(err) {
				return nil
			}
			return err
		}
		if list, ok := object.(*corev1.List); ok {
			for _, item := range list.Items {
				if err := add(item.Raw); err != nil {
					return err
				}
			}
			return nil
		}
		if meta, ok := object.(metav1.Object); ok && meta.GetNamespace() == "" {
			meta.SetNamespace("default")
		}
		legacyscheme.Scheme.Default(object)
		c.add(object)
		return nil
	}
	return filepath.WalkDir(filepath.Join(dir, "adopted"), func(path string, entry os.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || entry.IsDir() || filepath.Base(path) == "kustomization.yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
		for {
			document, err := reader.Read()
			if err == io.EOF {
				return nil
			}
			if err == nil {
				err = add(document)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	})
}

func (c *cluster) readFile(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if isChart, err := c.readChart(document); isChart {
			if err != nil {
				c.fault("%s: %v", filepath.Base(path), err)
			}
			continue
		}
		object, kind, err := strict.Decode(document, nil, nil)
		if err != nil {
			c.fault("%s: %v", filepath.Base(path), err)
			continue
		}
		legacyscheme.Scheme.Default(object)
		strategy := strategies[kind.Kind]
		if strategy == nil {
			c.fault("%s: this check does not know the kind %s", filepath.Base(path), kind.Kind)
			continue
		}
		if err := c.create(strategy, object); err != nil {
			c.fault("%s: %s", filepath.Base(path), reason(err))
			continue
		}
		c.add(object)
	}
}

// chartValues are those of the chart of Traefik that say how many pods there are and what they ask for (traefik-helm-chart,
// values.yaml).
type chartValues struct {
	Autoscaling struct {
		Enabled bool `json:"enabled"`
	} `json:"autoscaling"`
	Deployment struct {
		Kind     string `json:"kind"`
		Replicas int    `json:"replicas"`
	} `json:"deployment"`
	Resources      corev1.ResourceRequirements `json:"resources"`
	UpdateStrategy appsv1.DeploymentStrategy   `json:"updateStrategy"`
}

// readChart reads a HelmChartConfig, whose fields are those of k3s-io/helm-controller, pkg/apis/helm.cattle.io/v1, and
// tells whether a document is one.
func (c *cluster) readChart(document []byte) (bool, error) {
	var config struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Spec              struct {
			ValuesContent string `json:"valuesContent"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(document, &config); err != nil || config.Kind != "HelmChartConfig" {
		return false, nil
	}
	if err := yaml.UnmarshalStrict(document, &config); err != nil {
		return true, err
	}
	if config.APIVersion != "helm.cattle.io/v1" || config.Namespace != "kube-system" || config.Name != "traefik" {
		return true, fmt.Errorf("K3s installs no chart %s/%s by a HelmChartConfig of %s", config.Namespace, config.Name, config.APIVersion)
	}
	var values chartValues
	if err := yaml.UnmarshalStrict([]byte(config.Spec.ValuesContent), &values); err != nil {
		return true, err
	}
	if values.Autoscaling.Enabled || values.Deployment.Kind != "Deployment" {
		return true, fmt.Errorf("the values of %s do not say how many pods there are", config.Name)
	}
	if c.charts == nil {
		c.charts = map[string]chartValues{}
	}
	c.charts[config.Name] = values
	return true, nil
}

// add stores an object.
func (c *cluster) add(object runtime.Object) {
	c.objects = append(c.objects, object)
	switch object := object.(type) {
	case *corev1.LimitRange:
		c.limitRanges = append(c.limitRanges, object)
	case *corev1.ResourceQuota:
		object.Status = corev1.ResourceQuotaStatus{Hard: object.Spec.Hard, Used: corev1.ResourceList{}}
		for name := range object.Spec.Hard {
			object.Status.Used[name] = resource.Quantity{}
		}
		c.quotas = append(c.quotas, object)
	case *schedulingv1.PriorityClass:
		c.priorityClasses = append(c.priorityClasses, object)
	}
}

func (c *cluster) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf(format, args...))
}

// create does with an object what the API server does before it stores it, warnings included.
func (c *cluster) create(strategy rest.RESTCreateStrategy, object runtime.Object) error {
	internal, err := legacyscheme.Scheme.ConvertToVersion(object.DeepCopyObject(), runtime.InternalGroupVersioner)
	if err != nil {
		return err
	}
	return c.createInternal(strategy, internal)
}

func (c *cluster) createInternal(strategy rest.RESTCreateStrategy, internal runtime.Object) error {
	meta := internal.(metav1.Object)
	if service, ok := internal.(*api.Service); ok && service.Spec.ClusterIP != "" && service.Spec.ClusterIPs == nil {
		// The storage of services does so before anything is checked (normalizeClusterIPs).
		service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
	}
	if strategy.NamespaceScoped() && meta.GetNamespace() == "" {
		return fmt.Errorf("%s has no namespace", meta.GetName())
	}
	ctx := request.WithNamespace(context.Background(), meta.GetNamespace())
	ctx = warning.WithWarningRecorder(ctx, &warnings{cluster: c, name: meta.GetName()})
	rest.FillObjectMetaSystemFields(meta)
	return rest.BeforeCreate(strategy, ctx, internal)
}

// warnings takes what kubectl would print as a warning for a fault.
type warnings struct {
	cluster *cluster
	name    string
}

func (w *warnings) AddWarning(_, text string) { w.cluster.fault("%s: warning: %s", w.name, text) }

// workload is pods that are alike.
type workload struct {
	namespace string
	name      string
	component string // one that K3s packages
	template  corev1.PodTemplateSpec
	pods      int
	surge     int    // how many more a rollout starts
	ending    int    // how many more there are while those that leave have not ended, if what comes does not wait for them
	wave      string // those whose rollouts may happen beside its own; all if it has none
	everyNode bool   // one on each node that takes it, as a DaemonSet's
	rolls     bool   // whether a change of it replaces its pods
	// claims are the templates of those that each pod has for itself, as a StatefulSet's.
	claims []corev1.PersistentVolumeClaim
}

// peak is how many there are at most while it is rolled out.
func (w *workload) peak() int { return w.pods + max(w.surge, w.ending) }

// pushes tells whether pods of a class push out those of lower priority, and so do not wait for the end of any.
func (c *cluster) pushes(class string) bool {
	for _, known := range c.priorityClasses {
		if known.Name == class {
			return known.PreemptionPolicy == nil || *known.PreemptionPolicy != corev1.PreemptNever
		}
	}
	return false
}

// componentLabel tells which packaged component a pod is of.
const componentLabel = "bzc.test/component"

// scaled is what each autoscaler may take its Deployment to.
func (c *cluster) scaled() map[types.NamespacedName]int {
	found := map[types.NamespacedName]int{}
	for _, object := range c.objects {
		if scaler, ok := object.(*autoscalingv2.HorizontalPodAutoscaler); ok {
			target := scaler.Spec.ScaleTargetRef
			if target.Kind != "Deployment" || target.APIVersion != "apps/v1" {
				c.fault("%s scales a %s of %s", scaler.Name, target.Kind, target.APIVersion)
			}
			found[types.NamespacedName{Namespace: scaler.Namespace, Name: target.Name}] = int(scaler.Spec.MaxReplicas)
		}
	}
	return found
}

// waveLabel tells the Deployments of a wave, whose rollouts may happen at once.
const waveLabel = "bzc/wave"

// waves are those of all Deployments, sorted.
func (c *cluster) waves() []string {
	var found []string
	for _, object := range c.objects {
		if object, ok := object.(*appsv1.Deployment); ok && object.Labels[waveLabel] != "" {
			found = append(found, object.Labels[waveLabel])
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// isIdle tells what says that none of its pods is to run: it is suspended, or Helm runs it for a test or a removal. What a
// dump has of K3s's own counts as that.
func isIdle(object runtime.Object) bool {
	switch object := object.(type) {
	case *batchv1.Job:
		if object.Spec.Suspend != nil && *object.Spec.Suspend {
			return true
		}
	case *batchv1.CronJob:
		if object.Spec.Suspend != nil && *object.Spec.Suspend {
			return true
		}
	}
	meta, ok := object.(metav1.Object)
	packaged := []string{"coredns", "local-path-provisioner", "metrics-server", "traefik"}
	if ok && meta.GetNamespace() == "kube-system" && meta.GetUID() != "" && slices.Contains(packaged, meta.GetName()) {
		return true
	}
	if !ok || meta.GetAnnotations()["helm.sh/hook"] == "" {
		return false
	}
	beside := func(event string) bool {
		event = strings.TrimSpace(event)
		return strings.HasPrefix(event, "test") || strings.HasSuffix(event, "-delete")
	}
	events := strings.Split(meta.GetAnnotations()["helm.sh/hook"], ",")
	return !slices.ContainsFunc(events, func(event string) bool { return !beside(event) })
}

// isLeftOut tells what of a dump counts for nothing: it has ended, or its controller is there and makes it.
func (c *cluster) isLeftOut(object runtime.Object) bool {
	switch object := object.(type) {
	case *corev1.Pod:
		if object.Status.Phase == corev1.PodSucceeded || object.Status.Phase == corev1.PodFailed {
			return true
		}
	case *batchv1.Job:
		for _, condition := range object.Status.Conditions {
			if condition.Status == corev1.ConditionTrue && (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
				return true
			}
		}
	}
	meta, ok := object.(metav1.Object)
	if !ok {
		return false
	}
	labels := meta.GetLabels()
	if labels[serviceLabel] != "" {
		return true // It counts as the pods of its Service.
	}
	owner := metav1.GetControllerOf(meta)
	if _, byHand := meta.GetAnnotations()["cronjob.kubernetes.io/instantiate"]; owner == nil || byHand {
		return false
	}
	return slices.ContainsFunc(c.objects, func(other runtime.Object) bool {
		by, ok := other.(metav1.Object)
		if !ok || isIdle(other) || by.GetNamespace() != meta.GetNamespace() {
			return false
		}
		kinds, _, err := legacyscheme.Scheme.ObjectKinds(other)
		if err != nil {
			return false
		}
		deployed := kinds[0].Kind == "Deployment" && owner.Kind == "ReplicaSet" &&
			owner.Name == by.GetName()+"-"+meta.GetLabels()["pod-template-hash"]
		return kinds[0].Kind == owner.Kind && by.GetName() == owner.Name || deployed
	})
}

// workloads are those the objects make, each with the pods of a rollout at its peak. How many runs of a CronJob may
// overlap stands in no object: promised has the pods of each service, by report.json.
func (c *cluster) workloads(promised map[string]int) (found []workload) {
	scaled := c.scaled()
	for _, object := range c.objects {
		if isIdle(object) || c.isLeftOut(object) {
			continue
		}
		switch object := object.(type) {
		case *appsv1.Deployment:
			replicas := int(*object.Spec.Replicas)
			name := types.NamespacedName{Namespace: object.Namespace, Name: object.Name}
			if most, ok := scaled[name]; ok {
				replicas = most
				delete(scaled, name)
			}
			// The rounding of the Deployment controller: surge up.
			surge := 0
			if rolling := object.Spec.Strategy.RollingUpdate; rolling != nil && replicas > 0 {
				surge, _ = intstr.GetScaledValueFromIntOrPercent(rolling.MaxSurge, replicas, true)
				// The new pods of a rollout are never more than the replicas.
				surge = min(surge, replicas)
			}
			made := workload{namespace: object.Namespace, name: object.Name, template: object.Spec.Template, pods: replicas, surge: surge, wave: object.Labels[waveLabel], rolls: true}
			if object.Namespace == "kube-system" {
				made.component = object.Name
			} else if c.pushes(object.Spec.Template.Spec.PriorityClassName) {
				// In a rollout each pod comes once and leaves once.
				made.ending = replicas
			}
			found = append(found, made)
		case *appsv1.ReplicaSet:
			found = append(found, workload{namespace: object.Namespace, name: object.Name, template: object.Spec.Template, pods: int(*object.Spec.Replicas)})
		case *corev1.Pod:
			template := corev1.PodTemplateSpec{ObjectMeta: object.ObjectMeta, Spec: object.Spec}
			found = append(found, workload{namespace: object.Namespace, name: object.Name, template: template, pods: 1})
		case *appsv1.DaemonSet:
			made := workload{namespace: object.Namespace, name: object.Name, template: object.Spec.Template, everyNode: true}
			if rolling := object.Spec.UpdateStrategy.RollingUpdate; rolling != nil && rolling.MaxSurge != nil {
				// A node has the new pod beside the old one.
				if surge, _ := intstr.GetScaledValueFromIntOrPercent(rolling.MaxSurge, 100, true); surge > 0 {
					made.surge = 1
				}
			}
			found = append(found, made)
		case *batchv1.Job:
			found = append(found, workload{namespace: object.Namespace, name: object.Name, template: object.Spec.Template, pods: int(*object.Spec.Parallelism)})
		case *appsv1.StatefulSet:
			found = append(found, workload{
				namespace: object.Namespace, name: object.Name, template: object.Spec.Template,
				pods: int(*object.Spec.Replicas), claims: object.Spec.VolumeClaimTemplates, rolls: true,
			})
		case *batchv1.CronJob:
			pods := 1
			if parallelism := object.Spec.JobTemplate.Spec.Parallelism; parallelism != nil {
				pods = int(*parallelism)
			}
			if object.Spec.ConcurrencyPolicy == batchv1.AllowConcurrent {
				if told := promised[object.Name]; told == 0 || told%pods != 0 {
					c.fault("%s: %d pods are no whole number of runs of %d", object.Name, told, pods)
				}
				pods = promised[object.Name]
			}
			found = append(found, workload{namespace: object.Namespace, name: object.Name, template: object.Spec.JobTemplate.Spec.Template, pods: pods})
		}
	}
	for index := range found {
		// Helm waits for the end of a hook, which has no pods at rest.
		if made := &found[index]; c.releases[made.name].Hook != "" {
			made.pods, made.surge = 0, made.pods
		}
	}
	for name := range scaled {
		c.fault("an autoscaler scales %s, which is not there", name)
	}
	for _, made := range found {
		if told, ok := promised[made.name]; made.component == "" && !made.everyNode && (!ok || told != made.peak()) {
			c.fault("report.json has %d pods of %s, its object makes %d", told, made.name, made.peak())
		}
	}
	return found
}

// packaged are the pods of the components of K3s that run as K3s has them (k3s-io/k3s, manifests/).
func packaged(disabled []string, c *cluster, nodes []*corev1.Node) []workload {
	stock := []struct {
		name      string
		switches  []string // what turns it off
		class     string
		request   corev1.ResourceList
		limit     corev1.ResourceList
		hostPorts []int32
		everyNode bool
		pods      int // at rest
		surge     int // 25% of a replica, rounded up, where the manifest gives no other; of an installation its jobs
	}{
		{name: "coredns", switches: []string{"coredns"}, class: "system-cluster-critical", request: list("100m", "70Mi"), limit: list("", "170Mi"), pods: 1, surge: 1},
		{name: "local-path-provisioner", switches: []string{"local-storage"}, class: "system-node-critical", pods: 1, surge: 1},
		{name: "metrics-server", switches: []string{"metrics-server"}, class: "system-node-critical", request: list("100m", "70Mi"), pods: 1, surge: 1},
		{name: "traefik", switches: []string{"traefik"}, class: "system-cluster-critical", pods: 1, surge: 1},
		{name: "svclb-traefik", switches: []string{"servicelb", "traefik"}, class: "system-node-critical", hostPorts: []int32{80, 443}, everyNode: true, pods: 1},
		{name: "helm-install-traefik", switches: []string{"traefik"}, class: "system-cluster-critical", surge: 2},
	}
	off := append(slices.Clone(disabled), c.skipped...)
	var found []workload
	for _, component := range stock {
		if slices.ContainsFunc(component.switches, func(name string) bool { return slices.Contains(off, name) }) {
			continue
		}
		if values, ok := c.charts[component.name]; ok {
			component.request, component.limit = values.Resources.Requests, values.Resources.Limits
			component.pods, component.surge = values.Deployment.Replicas, 1
			if rolling := values.UpdateStrategy.RollingUpdate; rolling != nil && rolling.MaxSurge != nil && rolling.MaxUnavailable != nil {
				// It pushes out others, and so comes while the one before it is still ending.
				component.surge = max(rolling.MaxSurge.IntValue(), rolling.MaxUnavailable.IntValue())
			}
		}
		container := corev1.Container{Name: component.name, Image: "packaged", Resources: corev1.ResourceRequirements{Requests: component.request, Limits: component.limit}}
		// What all of them tolerate.
		critical := corev1.Toleration{Key: "CriticalAddonsOnly", Operator: corev1.TolerationOpExists}
		spec := corev1.PodSpec{
			PriorityClassName: component.class, Containers: []corev1.Container{container},
			Tolerations: []corev1.Toleration{critical},
		}
		if len(component.hostPorts) > 0 {
			spec.Containers = nil
			for _, port := range component.hostPorts {
				next := *container.DeepCopy()
				next.Name = fmt.Sprintf("port-%d", port)
				next.Ports = []corev1.ContainerPort{{ContainerPort: port, HostPort: port}}
				spec.Containers = append(spec.Containers, next)
			}
		}
		if component.everyNode {
			spec.NodeSelector = balanced(nodes, "")
		}
		found = append(found, workload{
			namespace: "kube-system", name: component.name, component: component.name,
			template: corev1.PodTemplateSpec{Spec: spec}, pods: component.pods, surge: component.surge, everyNode: component.everyNode,
		})
	}
	if !slices.Contains(off, "servicelb") {
		found = append(found, balancers(c, nodes)...)
	}
	return found
}

const (
	enableLabel  = "svccontroller.k3s.cattle.io/enablelb"
	poolLabel    = "svccontroller.k3s.cattle.io/lbpool"
	serviceLabel = "svccontroller.k3s.cattle.io/svcname"
)

// balanced is the node selector that the load balancer of K3s gives its pods (k3s-io/k3s, pkg/cloudprovider/servicelb.go).
func balanced(nodes []*corev1.Node, pool string) map[string]string {
	labelled := func(node *corev1.Node) bool { _, ok := node.Labels[enableLabel]; return ok }
	if !slices.ContainsFunc(nodes, labelled) {
		return nil
	}
	selector := map[string]string{enableLabel: "true"}
	if pool != "" {
		selector[poolLabel] = pool
	}
	return selector
}

// balancers are the pods of the load balancer of K3s for the Services that were adopted.
func balancers(c *cluster, nodes []*corev1.Node) (found []workload) {
	alike := map[string]int{"traefik": 1}
	var services []*corev1.Service
	for _, object := range c.objects {
		service, ok := object.(*corev1.Service)
		if ok && service.Spec.Type == corev1.ServiceTypeLoadBalancer && service.Spec.LoadBalancerClass == nil {
			services = append(services, service)
			alike[service.Name]++
		}
	}
	// A dump may have what was made for a Service, and not the Service.
	for _, object := range c.objects {
		made, ok := object.(*appsv1.DaemonSet)
		if !ok || made.Labels[serviceLabel] == "" {
			continue
		}
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
			Name: made.Labels[serviceLabel], Namespace: made.Labels["svccontroller.k3s.cattle.io/svcnamespace"],
			Labels: map[string]string{poolLabel: made.Spec.Template.Spec.NodeSelector[poolLabel]},
		}}
		same := func(other *corev1.Service) bool {
			return other.Name == service.Name && other.Namespace == service.Namespace
		}
		if slices.ContainsFunc(services, same) {
			continue
		}
		for _, container := range made.Spec.Template.Spec.Containers {
			for _, port := range container.Ports {
				service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Port: port.HostPort, Protocol: port.Protocol})
			}
		}
		services = append(services, service)
		alike[service.Name]++
	}
	for _, service := range services {
		name := "svclb-" + service.Name
		if alike[service.Name] > 1 {
			name = "svclb-" + service.Namespace + "." + service.Name
		}
		spec := corev1.PodSpec{
			PriorityClassName: "system-node-critical", NodeSelector: balanced(nodes, service.Labels[poolLabel]),
			Tolerations: []corev1.Toleration{
				{Key: "node-role.kubernetes.io/control-plane", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
				{Key: "CriticalAddonsOnly", Operator: corev1.TolerationOpExists},
			},
		}
		for _, port := range service.Spec.Ports {
			spec.Containers = append(spec.Containers, corev1.Container{
				Name: fmt.Sprintf("port-%d-%s", port.Port, strings.ToLower(string(port.Protocol))), Image: "packaged",
				Ports: []corev1.ContainerPort{{ContainerPort: port.Port, HostPort: port.Port, Protocol: port.Protocol}},
			})
		}
		found = append(found, workload{
			namespace: "kube-system", name: name, component: name,
			template: corev1.PodTemplateSpec{Spec: spec}, pods: 1, everyNode: true,
		})
	}
	return found
}

// others are the pods that the program says there are beside its own, as the report counts them: no file of bzc has
// them. Those of every node are taken to push out what may run elsewhere, as K3s's own do.
func others(report *report) (found []workload) {
	known := map[string]bool{}
	for _, node := range report.Nodes {
		for _, other := range node.Components {
			foreign := strings.HasPrefix(other.Origin, "others.") || other.Origin == "default.proof.components.challenges"
			if !foreign || known[other.Name] || other.PodsAtPeak == 0 {
				continue
			}
			known[other.Name] = true
			each := corev1.ResourceList{
				corev1.ResourceMemory: *resource.NewQuantity(other.RequestBytes, resource.BinarySI),
				corev1.ResourceCPU:    *resource.NewMilliQuantity(other.CPUMilli, resource.DecimalSI),
			}
			spec := corev1.PodSpec{Containers: []corev1.Container{{
				Name: "other", Image: "other", Resources: corev1.ResourceRequirements{Requests: each, Limits: each},
			}}}
			made := workload{
				namespace: "others", name: other.Name, component: other.Name,
				template: corev1.PodTemplateSpec{Spec: spec}, pods: other.PodsAtPeak, everyNode: other.EveryNode,
			}
			if !other.EveryNode {
				found = append(found, made)
				continue
			}
			made.template.Spec.PriorityClassName = "system-node-critical"
			for index := range other.PodsAtPeak {
				made.name = fmt.Sprintf("%s-%d", other.Name, index)
				found = append(found, made)
			}
		}
	}
	return found
}

func list(cpu, memory string) corev1.ResourceList {
	resources := corev1.ResourceList{}
	if cpu != "" {
		resources[corev1.ResourceCPU] = resource.MustParse(cpu)
	}
	resources[corev1.ResourceMemory] = resource.MustParse(memory)
	return resources
}

// daemons are the pods that the DaemonSet controller makes: one for each node that takes it, which it binds to that.
func (w *workload) daemons(nodes []*corev1.Node) (pods []*corev1.Pod) {
	set := &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace}, Spec: appsv1.DaemonSetSpec{Template: w.template}}
	for _, node := range nodes {
		if should, _ := daemon.NodeShouldRunDaemonPod(node, set); !should {
			continue
		}
		made := daemon.NewPod(set, "").DeepCopy()
		made.Spec.NodeName = ""
		made.Spec.Affinity = daemonutil.ReplaceDaemonSetPodNodeNameNodeAffinity(made.Spec.Affinity, node.Name)
		daemonutil.AddOrUpdateDaemonPodTolerations(&made.Spec)
		pods = append(pods, made)
	}
	return pods
}

// rolled is a workload with the pods that are there.
type rolled struct {
	workload
	pods []*corev1.Pod
}

// peak makes all pods that exist at once while a wave is rolled out and Helm runs a hook, if it has a name, each through
// admission, ResourceQuota last. The pods of which there must be room at any moment come first.
func (c *cluster) peak(nodes []*corev1.Node, stock []workload, promised map[string]int, wave string, hook reportedService) (pods []*corev1.Pod, faults []error) {
	count := func(one *workload) int {
		of := c.releases[one.name]
		phase := ""
		if hook.Release != "" && hook.Release == of.Release {
			phase = hook.Hook
		}
		switch {
		case of.Hook != "" && of.Name != hook.Name || of.Hook == "" && phase == "before":
			return 0
		case of.Hook == "" && phase == "rest" || one.wave != "" && one.wave != wave:
			return one.pods
		}
		return one.peak()
	}
	for _, made := range c.made(nodes, stock, promised, count, &faults) {
		pods = append(pods, made.pods...)
	}
	return pods, faults
}

// atRest makes the pods that exist while nothing is rolled out.
func (c *cluster) atRest(nodes []*corev1.Node, stock []workload, promised map[string]int) ([]rolled, error) {
	var faults []error
	all := c.made(nodes, stock, promised, func(one *workload) int { return one.pods }, &faults)
	return all, errors.Join(faults...)
}

// made makes so many pods of all workloads, of a DaemonSet one for each node that takes it.
func (c *cluster) made(nodes []*corev1.Node, stock []workload, promised map[string]int, of func(*workload) int, faults *[]error) (all []rolled) {
	c.faults = slices.Clip(c.faults)
	before := len(c.faults)
	used := c.unused()
	for _, workload := range append(c.workloads(promised), stock...) {
		count := of(&workload)
		var daemons []*corev1.Pod
		if workload.everyNode {
			daemons = workload.daemons(nodes)
			if workload.surge > 0 && workload.component == "" {
				daemons = append(daemons, workload.daemons(nodes)...)
			}
			count = len(daemons)
			if told, ok := promised[workload.name]; ok && told != count {
				c.fault("report.json has %d pods of %s, %d nodes take it", told, workload.name, count)
			}
		}
		made := rolled{workload: workload}
		for index := range count {
			pod := &corev1.Pod{ObjectMeta: workload.template.ObjectMeta, Spec: workload.template.Spec}
			if workload.everyNode {
				pod = daemons[index]
			}
			admitted, err := c.admit(workload.named(pod.DeepCopy(), index))
			if err == nil {
				used, err = charge(used, admitted)
			}
			if err != nil {
				// Others' quotas may make the pods of a rollout wait. Those that bzc writes have room for them.
				if index < workload.pods || workload.everyNode || ofBzc(err) {
					c.fault("pod %s-%d is refused: %s", workload.name, index, reason(err))
				}
				break
			}
			made.pods = append(made.pods, admitted)
		}
		all = append(all, made)
	}
	*faults = append(*faults, c.faults[before:]...)
	c.faults = c.faults[:before]
	return all
}

// named gives a pod the name, the place and the claims that its controller gives it.
func (w *workload) named(made *corev1.Pod, index int) *corev1.Pod {
	// The API server cuts generated names too, so that they are host names.
	made.Name = fmt.Sprintf("%.58s-%d", w.name, index)
	made.Namespace = w.namespace
	made.UID = types.UID(made.Namespace + "/" + made.Name)
	if w.component != "" {
		metav1.SetMetaDataLabel(&made.ObjectMeta, componentLabel, w.component)
	}
	for _, claim := range w.claims {
		// As the StatefulSet controller names them.
		made.Spec.Volumes = append(made.Spec.Volumes, corev1.Volume{
			Name: claim.Name,
			VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{
				ClaimName: fmt.Sprintf("%s-%s-%d", claim.Name, w.name, index),
			}},
		})
	}
	return made
}

// admit does with a pod what the API server does: defaults, priority, LimitRanger, checks.
func (c *cluster) admit(made *corev1.Pod) (*corev1.Pod, error) {
	value := map[string]int32{"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}
	policy := corev1.PreemptLowerPriority
	for _, class := range c.priorityClasses {
		value[class.Name] = class.Value
		if class.Name == made.Spec.PriorityClassName && class.PreemptionPolicy != nil {
			policy = *class.PreemptionPolicy
		}
	}
	if name := made.Spec.PriorityClassName; name != "" {
		if _, known := value[name]; !known {
			return nil, fmt.Errorf("no priority class %s", name)
		}
	}
	priority := value[made.Spec.PriorityClassName]
	made.Spec.Priority, made.Spec.PreemptionPolicy = &priority, &policy
	legacyscheme.Scheme.Default(made)
	converted, err := legacyscheme.Scheme.ConvertToVersion(made, runtime.InternalGroupVersioner)
	if err != nil {
		return nil, err
	}
	internal := converted.(*api.Pod)
	for _, limits := range c.limitRanges {
		if limits.Namespace == internal.Namespace {
			if err := limitranger.PodMutateLimitFunc(limits, internal); err != nil {
				return nil, err
			}
		}
	}
	if err := c.createInternal(pod.Strategy, internal); err != nil {
		return nil, err
	}
	for _, limits := range c.limitRanges {
		if limits.Namespace == internal.Namespace {
			if err := limitranger.PodValidateLimitFunc(limits, internal); err != nil {
				return nil, err
			}
		}
	}
	back, err := legacyscheme.Scheme.ConvertToVersion(internal, corev1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	admitted := back.(*corev1.Pod)
	admitted.UID = made.UID
	return admitted, nil
}
