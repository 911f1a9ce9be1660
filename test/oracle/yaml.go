package main

import (
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/yaml"
)

type yamlInput struct {
	Text string `json:"text"`
	// Direction is toJSON, fromJSON (both as sigs.k8s.io/yaml does it) or rewrite (read and print as kustomize does it).
	Direction string `json:"direction"`
}

func convertYAML(input yamlInput) (any, error) {
	switch input.Direction {
	case "fromJSON":
		text, err := yaml.JSONToYAML([]byte(input.Text))
		return string(text), err
	case "rewrite":
		nodes, err := kio.FromBytes([]byte(input.Text))
		if err != nil {
			return nil, err
		}
		text, err := kio.StringAll(nodes)
		return text, err
	default:
		text, err := yaml.YAMLToJSON([]byte(input.Text))
		return string(text), err
	}
}
