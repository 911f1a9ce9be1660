package main

import "github.com/Masterminds/semver/v3"

type semverInput struct {
	Constraint string   `json:"constraint"`
	Versions   []string `json:"versions"`
}

// checkSemver lists the versions that the constraint allows.
func checkSemver(input semverInput) (any, error) {
	constraint, err := semver.NewConstraint(input.Constraint)
	if err != nil {
		return nil, err
	}
	allowed := []string{}
	for _, text := range input.Versions {
		if version, err := semver.NewVersion(text); err == nil && constraint.Check(version) {
			allowed = append(allowed, text)
		}
	}
	return allowed, nil
}
