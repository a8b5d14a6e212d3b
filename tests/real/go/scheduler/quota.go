package main

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/resourcequota"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/quota/v1/evaluator/core"
	"k8s.io/utils/clock"
)

// evaluator is how Kubernetes counts pods against quotas, with their scopes.
var evaluator = core.NewPodEvaluator(nil, clock.RealClock{})

// unused are all quotas with nothing counted yet.
func (c *cluster) unused() []corev1.ResourceQuota {
	var quotas []corev1.ResourceQuota
	for _, one := range c.quotas {
		quotas = append(quotas, *one.DeepCopy())
	}
	return quotas
}

// charge hands a pod to the admission plugin ResourceQuota, and returns the quotas with the pod counted.
func charge(quotas []corev1.ResourceQuota, made *corev1.Pod) ([]corev1.ResourceQuota, error) {
	internal, err := legacyscheme.Scheme.ConvertToVersion(made.DeepCopy(), runtime.InternalGroupVersioner)
	if err != nil {
		return quotas, err
	}
	var own, others []corev1.ResourceQuota
	for _, one := range quotas {
		if one.Namespace == made.Namespace {
			own = append(own, one)
		} else {
			others = append(others, one)
		}
	}
	attributes := admission.NewAttributesRecord(internal, nil, corev1.SchemeGroupVersion.WithKind("Pod"), made.Namespace, made.Name,
		corev1.SchemeGroupVersion.WithResource("pods"), "", admission.Create, nil, false, nil)
	charged, err := resourcequota.CheckRequest(own, attributes, evaluator, nil)
	if err != nil {
		return quotas, err
	}
	return append(others, charged...), nil
}

// ofBzc tells whether a quota that bzc writes refused a pod.
func ofBzc(err error) bool { return strings.Contains(err.Error(), "quota: bzc,") }

// release takes a pod that is gone out of the quotas that counted it.
func release(quotas []corev1.ResourceQuota, gone *corev1.Pod) ([]corev1.ResourceQuota, error) {
	for index := range quotas {
		one := &quotas[index]
		if one.Namespace != gone.Namespace {
			continue
		}
		if counts, err := evaluator.Matches(one, gone); err != nil || !counts {
			if err != nil {
				return quotas, err
			}
			continue
		}
		usage, err := evaluator.Usage(gone)
		if err != nil {
			return quotas, err
		}
		one.Status.Used = quota.SubtractWithNonNegativeResult(one.Status.Used, quota.Mask(usage, quota.ResourceNames(one.Status.Hard)))
	}
	return quotas, nil
}
