package main

import (
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/runtime/statusreaders"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// computeStatus answers as the poller of kustomize-controller does: Jobs have Flux's own reader, an error means Unknown.
func computeStatus(object map[string]any) (any, error) {
	resource := &unstructured.Unstructured{Object: integers(object).(map[string]any)}
	result := &status.Result{}
	if resource.GroupVersionKind().Group == "batch" && resource.GetKind() == "Job" {
		*result = statusreaders.ComputeJobStatus(resource)
	} else if computed, err := status.Compute(resource); err != nil {
		result = &status.Result{Status: status.UnknownStatus, Message: err.Error()}
	} else {
		result = computed
	}
	return map[string]string{"status": result.Status.String(), "message": result.Message}, nil
}
