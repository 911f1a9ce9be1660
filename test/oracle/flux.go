package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	fluxkustomize "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type fluxInput struct {
	tree
	// Kustomization is the whole Flux object; spec.path says what is built.
	Kustomization map[string]any `json:"kustomization"`
	Lenient       bool           `json:"lenient"`
}

// fluxBuild follows kustomize-controller: write the root file, build, substitute each resource, print.
func fluxBuild(input fluxInput) (any, error) {
	kustomization := unstructured.Unstructured{Object: integers(input.Kustomization).(map[string]any)}
	return input.inFolder(func(root string) (string, error) {
		path, _, err := unstructured.NestedString(kustomization.Object, "spec", "path")
		if err != nil {
			return "", err
		}
		folder := filepath.Join(root, filepath.Clean("/"+path))
		if _, err := os.Stat(folder); err != nil {
			return "", fmt.Errorf("kustomization path not found: %w", err)
		}
		if _, err := fluxkustomize.NewGenerator(root, kustomization).WriteFile(folder); err != nil {
			return "", err
		}
		built, err := fluxkustomize.SecureBuild(root, folder, false)
		if err != nil {
			return "", fmt.Errorf("kustomize build failed: %w", err)
		}
		_, substitutes, _ := unstructured.NestedMap(kustomization.Object, "spec", "postBuild")
		strategy, _, _ := unstructured.NestedString(kustomization.Object, "spec", "postBuild", "substituteStrategy")
		for _, res := range built.Resources() {
			if res.GetName() == "" || res.GetKind() == "" || res.GetApiVersion() == "" {
				return "", fmt.Errorf("failed to decode Kubernetes apiVersion, kind and name from: %v", res.String())
			}
			if !substitutes {
				continue
			}
			changed, err := fluxkustomize.SubstituteVariables(context.Background(), nil, kustomization, res,
				// Variables of ConfigMaps and Secrets need a cluster; cases have inline ones only.
				fluxkustomize.SubstituteWithDryRun(true),
				fluxkustomize.SubstituteWithStrict(!input.Lenient),
				fluxkustomize.SubstituteWithAlways(strategy == "Always"))
			if err != nil {
				return "", fmt.Errorf("post build failed for '%s/%s': %w", res.GetGvk(), res.GetName(), err)
			}
			if changed != nil {
				if _, err := built.Replace(res); err != nil {
					return "", err
				}
			}
		}
		text, err := built.AsYaml()
		if err != nil {
			return "", fmt.Errorf("kustomize build failed: %w", err)
		}
		return string(text), nil
	})
}

// integers turns whole numbers into int64, as the API machinery decodes JSON.
func integers(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		for key, member := range typed {
			typed[key] = integers(member)
		}
	case []any:
		for index, member := range typed {
			typed[index] = integers(member)
		}
	case float64:
		if typed == float64(int64(typed)) {
			return int64(typed)
		}
	}
	return value
}
