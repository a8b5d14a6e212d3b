package main

import (
	"context"
	"fmt"
	"math/rand"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// rollouts binds all pods that are there at rest, makes the volumes of K3s folders of the nodes that their pods came to,
// has all pods come again in another order as after a restart of everything, and then replaces the pods of every
// workload one by one, as their controllers do. How many it replaced.
func rollouts(nodes []*corev1.Node, c *cluster, stock []workload, promised map[string]int, disabled []string, seed int64) (int, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	random := rand.New(rand.NewSource(seed))
	all, err := c.atRest(nodes, stock, promised)
	if err != nil {
		return 0, err
	}
	var pods []*corev1.Pod
	for _, made := range all {
		pods = append(pods, made.pods...)
	}
	bind := func(held map[string]string) (*run, error) {
		r, err := start(ctx, nodes, c, pods, held)
		if err != nil {
			return nil, err
		}
		for _, index := range random.Perm(len(pods)) {
			if err := r.create(pods[index]); err != nil {
				return nil, err
			}
		}
		return r, r.mustSettle("at rest")
	}
	r, err := bind(nil)
	if err != nil {
		return 0, err
	}
	if !slices.Contains(disabled, "local-storage") {
		places, err := r.places()
		if err != nil {
			return 0, err
		}
		if r, err = bind(folders(all, places)); err != nil {
			return 0, err
		}
	}
	used := c.unused()
	for _, made := range pods {
		if used, err = charge(used, made); err != nil {
			return 0, err
		}
	}
	// Waves come one after another, within one all come in any order.
	random.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	slices.SortStableFunc(all, func(a, b rolled) int { return strings.Compare(a.wave, b.wave) })
	steps := 0
	for _, made := range all {
		if made.component != "" || made.everyNode || len(made.pods) == 0 || !made.rolls {
			continue
		}
		for _, old := range made.pods {
			next := old.DeepCopy()
			next.UID = old.UID + types.UID("-next")
			if made.surge > 0 {
				next.Name += "-next"
			}
			remove := func() error {
				if err := r.delete(old); err != nil {
					return err
				}
				used, err = release(used, old)
				return err
			}
			if made.surge == 0 {
				if err := remove(); err != nil {
					return steps, err
				}
			}
			// A quota of others that has no room for one more makes this rollout wait for ever or not at all: that is said
			// elsewhere.
			charged, refused := charge(used, next)
			if refused != nil && made.surge > 0 && !ofBzc(refused) {
				break
			}
			if refused != nil {
				return steps, refused
			}
			used = charged
			if err := r.create(next); err != nil {
				return steps, err
			}
			if err := r.mustSettle("replacing " + old.Name); err != nil {
				return steps, err
			}
			if made.surge > 0 {
				if err := remove(); err != nil {
					return steps, err
				}
			}
			steps++
		}
	}
	if len(nodes) == 1 && len(r.removed) > 0 {
		return steps, fmt.Errorf("the scheduler deletes %s to make room", strings.Join(r.removed, ", "))
	}
	return steps, nil
}

// mustSettle is an error where a pod stays pending.
func (r *run) mustSettle(when string) error {
	pending, err := r.settle()
	if err == nil && len(pending) > 0 {
		err = fmt.Errorf("%s, these stay pending: %s", when, strings.Join(pending, "; "))
	}
	return err
}

// folders are the claims that K3s makes a folder for, each with the node of a pod that has it.
func folders(all []rolled, places map[types.UID]string) map[string]string {
	held := map[string]string{}
	for _, made := range all {
		local := map[string]bool{}
		for _, claim := range made.claims {
			class := claim.Spec.StorageClassName
			local[claim.Name] = class == nil || *class == "local-path"
		}
		for _, pod := range made.pods {
			for _, volume := range pod.Spec.Volumes {
				if volume.PersistentVolumeClaim != nil && local[volume.Name] {
					held[pod.Namespace+"-"+volume.PersistentVolumeClaim.ClaimName] = places[pod.UID]
				}
			}
		}
	}
	return held
}
