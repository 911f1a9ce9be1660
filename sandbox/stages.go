package main

import (
	_ "embed"
	"fmt"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodeheartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/v1alpha1"
	"sigs.k8s.io/yaml"
)

//go:embed stages.yaml
var cloudStages string

// printStages writes kwok's own stages, which make nodes and pods ready, complete Jobs and end deleted pods; and ours.
// Pods of Flux are not made ready: no process stands behind them.
func printStages() {
	for _, text := range []string{
		nodefast.DefaultNodeInit,
		nodeheartbeat.DefaultNodeHeartbeatWithLease,
		exceptFlux(podfast.DefaultPodReady),
		podfast.DefaultPodComplete,
		podfast.DefaultPodDelete,
		cloudStages,
	} {
		fmt.Printf("---\n%s\n", text)
	}
}

func exceptFlux(text string) string {
	var stage v1alpha1.Stage
	if err := yaml.UnmarshalStrict([]byte(text), &stage); err != nil {
		fail(err)
	}
	stage.Spec.Selector.MatchExpressions = append(stage.Spec.Selector.MatchExpressions, v1alpha1.MatchExpression{
		JQ: &v1alpha1.SelectorJQ{
			Key:      `.metadata.labels["app.kubernetes.io/part-of"]`,
			Operator: v1alpha1.SelectorOpNotIn,
			Values:   []string{"flux"},
		},
	})
	changed, err := yaml.Marshal(stage)
	if err != nil {
		fail(err)
	}
	return string(changed)
}
