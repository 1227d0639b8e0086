metadata description = 'Writes, tag changes and deletions of machines in a subscription, brought to the app or to its queue.'

@description('System topic that they appear on.')
param topicName string

@allowed(['function', 'queue'])
@description('Where they are brought to.')
param delivery string

@description('The function that takes them.')
param functionId string

@description('Storage account with the queue events and the container dead-letters.')
param storageId string

var toFunction = {
  endpointType: 'AzureFunction'
  properties: {
    resourceId: functionId
    maxEventsPerBatch: 10
    preferredBatchSizeInKilobytes: 64
  }
}
var toQueue = {
  identity: { type: 'SystemAssigned' }
  destination: {
    endpointType: 'StorageQueue'
    properties: {
      resourceId: storageId
      queueName: 'events'
      queueMessageTimeToLiveInSeconds: 86400
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource machines 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'tagback-machines'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: delivery == 'function' ? toFunction : null
    deliveryWithResourceIdentity: delivery == 'queue' ? toQueue : null
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceDeleteSuccess'
      ]
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: [
            'Microsoft.Compute/virtualMachines/write'
            'Microsoft.Compute/virtualMachines/delete'
            'Microsoft.Resources/tags/write'
          ]
        }
      ]
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: storageId, blobContainerName: 'dead-letters' }
      }
    }
  }
}
