package main

import (
	"context"

	"github.com/fluxcd/pkg/apis/kustomize"
	fluxcel "github.com/fluxcd/pkg/runtime/cel"
	celtypes "github.com/google/cel-go/common/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type celInput struct {
	// Expression is evaluated on the object's top-level fields, or, with Variables, compiled as a readyExpr is.
	Expression string         `json:"expression"`
	Object     map[string]any `json:"object"`
	Variables  map[string]any `json:"variables"`
	// Health expressions are evaluated in Flux's order instead of Expression.
	Health *kustomize.HealthCheckExpressions `json:"health"`
}

func evaluateCEL(input celInput) (any, error) {
	switch {
	case input.Health != nil:
		return evaluateHealth(input)
	case input.Variables != nil:
		names := make([]string, 0, len(input.Variables))
		for name := range input.Variables {
			names = append(names, name)
		}
		expression, err := fluxcel.NewExpression(input.Expression, fluxcel.WithCompile(),
			fluxcel.WithOutputType(celtypes.BoolType), fluxcel.WithStructVariables(names...))
		if err != nil {
			return nil, err
		}
		return expression.EvaluateBoolean(context.Background(), integers(input.Variables).(map[string]any))
	default:
		expression, err := fluxcel.NewExpression(input.Expression)
		if err != nil {
			return nil, err
		}
		return expression.EvaluateBoolean(context.Background(), integers(input.Object).(map[string]any))
	}
}

func evaluateHealth(input celInput) (any, error) {
	evaluator, err := fluxcel.NewStatusEvaluator(input.Health)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{Object: integers(input.Object).(map[string]any)}
	result, err := evaluator.Evaluate(context.Background(), object)
	if err != nil {
		return nil, err
	}
	return result.Status.String(), nil
}
