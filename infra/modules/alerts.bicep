metadata description = 'Who is told when something is wrong, and above all when nothing is heard at all.'

@description('Names the installation.')
param environmentName string

@description('Region of the rules.')
param location string

@description('Tags of the rules.')
param tags object

@description('Workspace that the rules ask.')
param workspaceId string

@description('Mail addresses that are told.')
param mails string[]

var rules = loadJsonContent('../alerts.json')

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${environmentName}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'tagback'
    emailReceivers: [for (mail, index) in mails: {
      name: 'mail-${index}'
      emailAddress: mail
      useCommonAlertSchema: true
    }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'tagback-${environmentName}-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Tagback: ${rule.name}'
    description: rule.text
    enabled: true
    severity: rule.severity
    scopes: [workspaceId]
    evaluationFrequency: rule.every
    windowSize: rule.window
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: rule.operator
          threshold: rule.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [people.id] }
  }
}]
