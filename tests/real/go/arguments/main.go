// Asks the components of Kubernetes about every rule of stdlib/v1/k3s-arg-rules.tsv, both ways: a value within the rule
// is taken, and one beyond it is refused, by the flags and the validation functions that the components run when they
// start. Nothing is started.
//
// Usage: arguments RULES
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/server"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	cliflag "k8s.io/component-base/cli/flag"
	componentbaseconfig "k8s.io/component-base/config"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/klog/v2"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app/options"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/kubelet/apis/config/validation"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
)

// A rule is a row of the table.
type rule struct {
	component, name, kind, what, source string
	// With which argument it holds, where that is not always.
	given string
}

// Rules that nothing knows that can be called here: those of functions that are not exported, K3s's own, and one that is
// newer than what is linked.
var elsewhere = []string{"v1.33.13 takes it", "pkg/kubelet/cm/", "pkg/controlplane/reconcilers/", "setNodeCIDRMaskSizes", "k3s-io/k3s"}

// Arguments without which another default is in the way of a value that a rule allows.
var beside = map[string]string{
	"image-gc-high-threshold":     "--image-gc-low-threshold=0",
	"iptables-sync-period":        "--iptables-min-sync-period=0s",
	"leader-elect-lease-duration": "--leader-elect-renew-deadline=4s",
}

// Values of flags that are no numbers.
var texts = map[string]string{
	"audit-log-path":                               "audit.log",
	"audit-webhook-config-file":                    "audit.yaml",
	"authentication-config":                        "auth.yaml",
	"authorization-config":                         "authz.yaml",
	"authorization-mode":                           "Node",
	"authorization-webhook-cache-authorized-ttl":   "30s",
	"authorization-webhook-cache-unauthorized-ttl": "30s",
	"authorization-webhook-config-file":            "webhook.yaml",
	"authorization-webhook-version":                "v1",
	"cgroup-root":                                  "/",
	"kube-reserved-cgroup":                         "/kube",
	"oidc-ca-file":                                 "ca.crt",
	"oidc-client-id":                               "client",
	"oidc-groups-claim":                            "groups",
	"oidc-groups-prefix":                           "g:",
	"oidc-issuer-url":                              "https://issuer.example",
	"oidc-required-claim":                          "a=b",
	"oidc-signing-algs":                            "RS384",
	"oidc-username-claim":                          "email",
	"oidc-username-prefix":                         "u:",
	"reserved-cpus":                                "0",
	"system-cgroups":                               "/system",
	"system-reserved-cgroup":                       "/system",
}

// Ends of a range that another rule of the same argument takes away.
var taken = map[string]string{
	"image-gc-high-threshold":     "0",
	"image-gc-low-threshold":      "100",
	"leader-elect-lease-duration": "1ns",
	"leader-elect-renew-deadline": "1ns",
}

// A lock that nobody asks.
type lock struct{ resourcelock.Interface }

func (lock) Identity() string { return "nobody" }

func elects(config componentbaseconfig.LeaderElectionConfiguration) []error {
	if !config.LeaderElect {
		return nil
	}
	nothing := leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) {}, OnStoppedLeading: func() {}}
	_, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:          lock{},
		LeaseDuration: config.LeaseDuration.Duration,
		RenewDeadline: config.RenewDeadline.Duration,
		RetryPeriod:   config.RetryPeriod.Duration,
		Callbacks:     nothing,
	})
	return []error{err}
}

// Flags of all sets.
func parse(sets cliflag.NamedFlagSets, args []string) error {
	all := flags()
	for _, set := range sets.FlagSets {
		all.AddFlagSet(set)
	}
	return all.Parse(args)
}

func flags() *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	return set
}

// What a component says of arguments: each complaint, without those that it has of none at all.
func refusals(component string, args []string) []error {
	switch component {
	case "kubelet":
		own := kubelet.NewKubeletFlags()
		config, err := kubelet.NewKubeletConfiguration()
		if err != nil {
			return []error{err}
		}
		set := flags()
		own.AddFlags(set)
		kubelet.AddKubeletConfigFlags(set, config)
		kubelet.AddGlobalFlags(set)
		if err := set.Parse(args); err != nil {
			return []error{err}
		}
		return []error{
			kubelet.ValidateKubeletFlags(own),
			validation.ValidateKubeletConfiguration(config, utilfeature.DefaultFeatureGate),
		}
	case "kube-proxy":
		options := proxy.NewOptions()
		set := flags()
		options.AddFlags(set)
		if err := set.Parse(args); err != nil {
			return []error{err}
		}
		if err := options.Complete(set); err != nil {
			return []error{err}
		}
		return []error{options.Validate()}
	case "kube-scheduler":
		options := scheduler.NewOptions()
		config, err := latest.Default()
		if err != nil {
			return []error{err}
		}
		options.ComponentConfig = config
		if err := parse(*options.Flags, args); err != nil {
			return []error{err}
		}
		return append(append(options.Validate(), elects(*options.LeaderElection)...),
			logsapi.Validate(options.Logs, nil, nil).ToAggregate())
	case "kube-controller-manager":
		options, err := manager.NewKubeControllerManagerOptions()
		if err != nil {
			return []error{err}
		}
		if err := parse(options.Flags(nil, nil, nil), args); err != nil {
			return []error{err}
		}
		return append([]error{options.Validate(nil, nil, nil)}, elects(options.Generic.LeaderElection)...)
	case "kube-apiserver":
		options := apiserver.NewServerRunOptions()
		if err := parse(options.Flags(), append([]string{
			"--cert-dir=" + scratch, "--etcd-servers=http://127.0.0.1:2379", "--advertise-address=10.0.0.1",
			"--service-account-issuer=https://kubernetes.default.svc",
		}, args...)); err != nil {
			return []error{err}
		}
		completed, err := options.Complete(context.Background())
		if err != nil {
			return []error{err}
		}
		// Some is found out only when the configuration of the server is made.
		config := server.NewConfig(legacyscheme.Codecs)
		if err := completed.GenericServerRunOptions.ApplyTo(config); err != nil {
			return []error{err}
		}
		client := kubernetes.NewForConfigOrDie(&rest.Config{Host: "http://127.0.0.1:1"})
		features := completed.Features.ApplyTo(config, client, informers.NewSharedInformerFactory(client, 0))
		return append(completed.Validate(), features)
	}
	return []error{fmt.Errorf("no component %s", component)}
}

var scratch string

// Its complaints, one a line of theirs.
func complaints(component string, args ...string) map[string]bool {
	found := map[string]bool{}
	for _, err := range refusals(component, args) {
		if err == nil {
			continue
		}
		all := []error{err}
		if many, ok := err.(utilerrors.Aggregate); ok {
			all = utilerrors.Flatten(many).Errors()
		}
		for _, one := range all {
			// That is about the machine on which this runs.
			if !strings.Contains(one.Error(), "a host using cgroup v1") {
				found[one.Error()] = true
			}
		}
	}
	return found
}

// Complaints that are in none of the others.
func beyond(all map[string]bool, others ...map[string]bool) []string {
	var found []string
	for one := range all {
		known := false
		for _, other := range others {
			known = known || other[one]
		}
		if !known {
			found = append(found, one)
		}
	}
	return found
}

func flag(name, value string) string { return "--" + name + "=" + value }

func text(name string) string {
	if value, ok := texts[name]; ok {
		return flag(name, value)
	}
	return flag(name, "1")
}

// A number or a duration a step away from a bound.
func next(kind, bound string, step int64) string {
	if kind == "duration" {
		read, err := time.ParseDuration(bound)
		if err != nil {
			panic(err)
		}
		return (read + time.Duration(step)).String()
	}
	read, err := strconv.ParseInt(bound, 10, 64)
	if err != nil {
		panic(err)
	}
	return strconv.FormatInt(read+step, 10)
}

// Arguments that a rule allows, and arguments that it does not.
func (r rule) examples() (good, bad [][]string) {
	one := func(values ...string) [][]string {
		var all [][]string
		for _, value := range values {
			all = append(all, []string{flag(r.name, value)})
		}
		return all
	}
	pair := func(other string, values ...[2]string) [][]string {
		var all [][]string
		for _, value := range values {
			all = append(all, []string{flag(r.name, value[0]), flag(other, value[1])})
		}
		return all
	}
	words := strings.Split(r.what, " ")
	switch r.kind {
	case "bool":
		return one("true", "false", "1", "F"), one("maybe", "yes")
	case "one-of":
		return one(strings.Split(r.what, "|")...), one("nonsense")
	case "int", "duration":
		good, bad = one("5"), one("5s")
		if r.kind == "duration" {
			good, bad = bad, good
		}
		bad = append(bad, one("x", "")...)
		least, most, _ := strings.Cut(r.what, "..")
		if least != "" {
			if taken[r.name] != least {
				good = append(good, one(least)...)
			}
			bad = append(bad, one(next(r.kind, least, -1))...)
		}
		if most != "" {
			if taken[r.name] != most {
				good = append(good, one(most)...)
			}
			bad = append(bad, one(next(r.kind, most, 1))...)
		}
		return good, bad
	case "below":
		if len(words) > 3 {
			return pair(words[0], [2]string{"9999ms", "12s"}), pair(words[0], [2]string{"10s", "12s"}, [2]string{"12s", "12s"})
		}
		if strings.HasSuffix(words[1], "s") {
			return pair(words[0], [2]string{"11s", "12s"}), pair(words[0], [2]string{"12s", "12s"})
		}
		return pair(words[0], [2]string{"11", "12"}), append(pair(words[0], [2]string{"12", "12"}), one(words[2])...)
	case "at-most":
		return pair(words[0], [2]string{"12s", "12s"}), pair(words[0], [2]string{"13s", "12s"})
	case "sum-above-0":
		return pair(words[0], [2]string{"0", "1"}, [2]string{"1", "0"}), pair(words[0], [2]string{"0", "0"})
	}
	panic("no kind " + r.kind)
}

// What of a rule does not hold.
func (r rule) faults(needs map[string][]string, none map[string]bool) []string {
	var found []string
	say := func(format string, values ...any) {
		found = append(found, fmt.Sprintf("%s %s: %s", r.component, r.name, fmt.Sprintf(format, values...)))
	}
	switch r.kind {
	case "needs":
		alone := []string{text(r.name)}
		whole := append([]string{}, alone...)
		for _, other := range needs[r.name] {
			whole = append(whole, text(other))
		}
		// Without the one that the rule names, and with all others.
		var without []string
		for _, arg := range whole {
			if !strings.HasPrefix(arg, "--"+r.what+"=") {
				without = append(without, arg)
			}
		}
		if len(beyond(complaints(r.component, without...), complaints(r.component, whole...), none)) == 0 {
			say("it does not need %s", r.what)
		}
	case "not-with":
		own, other := text(r.name), text(r.what)
		both := complaints(r.component, own, other)
		if len(beyond(both, complaints(r.component, own), complaints(r.component, other), none)) == 0 {
			say("it goes with %s", r.what)
		}
	default:
		good, bad := r.examples()
		if r.given != "" {
			with := text(r.given)
			none = complaints(r.component, with)
			// Where that is not given, nobody looks.
			if len(beyond(complaints(r.component, bad[len(bad)-1]...), none)) > 0 {
				say("%v is refused without %s", bad[len(bad)-1], r.given)
			}
			for _, all := range [][][]string{good, bad} {
				for at := range all {
					all[at] = append(all[at], with)
				}
			}
		}
		for _, args := range good {
			if other, ok := beside[r.name]; ok {
				args = append(args, other)
			}
			if more := beyond(complaints(r.component, args...), none); len(more) > 0 {
				say("%v is refused: %s", args, more)
			}
		}
		for _, args := range bad {
			if len(beyond(complaints(r.component, args...), none)) == 0 {
				say("%v is taken", args)
			}
		}
	}
	return found
}

func run() error {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	table, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	if scratch, err = os.MkdirTemp("", "arguments"); err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	for name, value := range texts {
		if filepath.Ext(value) == ".yaml" || filepath.Ext(value) == ".crt" {
			texts[name] = filepath.Join(scratch, value)
		}
	}
	needs := map[string][]string{}
	var rules []rule
	skipped := 0
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		says, given, _ := strings.Cut(cells[2], " if ")
		kind, what, _ := strings.Cut(says, " ")
		row := rule{cells[0], cells[1], kind, what, cells[3], given}
		if kind == "needs" {
			needs[row.name] = append(needs[row.name], what)
		}
		known := true
		for _, place := range elsewhere {
			known = known && !strings.Contains(row.source, place)
		}
		if known {
			rules = append(rules, row)
		} else {
			skipped++
		}
	}
	none := map[string]map[string]bool{}
	faults := 0
	for _, row := range rules {
		if none[row.component] == nil {
			none[row.component] = complaints(row.component)
		}
		for _, fault := range row.faults(needs, none[row.component]) {
			fmt.Println(fault)
			faults++
		}
	}
	if faults > 0 {
		return fmt.Errorf("%d of %d rules are not those of the components", faults, len(rules))
	}
	fmt.Printf("%d rules are those of the components; %d cannot be asked for\n", len(rules), skipped)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
